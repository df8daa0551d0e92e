//! What a program writes to a pipe: its start and its end, however much it is. Reading ends with
//! the pipe, which a grandchild may hold open for ever; nobody waits for that.

use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// So much of the start, and so much of the end.
const MOST: usize = 64 << 10;

#[derive(Debug, Default)]
struct Kept {
    start: Vec<u8>,
    end: Vec<u8>,
    length: u64,
    hash: DefaultHasher,
    closed: bool,
}

/// What came so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture(Arc<Mutex<Kept>>);

impl Capture {
    /// Reads in the background.
    pub(super) fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let capture = Self::default();
        let kept = capture.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 8192];
            if let Some(mut pipe) = pipe {
                while let Ok(read @ 1..) = pipe.read(&mut piece) {
                    kept.with(|kept| kept.add(&piece[..read]));
                }
            }
            kept.with(|kept| kept.closed = true);
        });
        capture
    }

    fn with<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        // Nothing in here can panic half way.
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        look(&mut kept)
    }

    /// The text, once the program has ended: what it still had in the pipe is given a moment to
    /// come through.
    pub(super) fn settled(&self) -> String {
        let deadline = Instant::now() + Duration::from_millis(200);
        while Instant::now() < deadline && !self.with(|kept| kept.closed) {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.text()
    }

    /// What tells all that came from something else: its length and a hash of it.
    pub(super) fn mark(&self) -> (u64, u64) {
        self.with(|kept| (kept.length, kept.hash.finish()))
    }

    /// The text so far.
    pub(super) fn text(&self) -> String {
        self.with(|kept| {
            let mut all = kept.start.clone();
            all.extend(&kept.end);
            String::from_utf8_lossy(&all).into_owned()
        })
    }
}

impl Kept {
    fn add(&mut self, piece: &[u8]) {
        self.length += u64::try_from(piece.len()).unwrap_or_default();
        self.hash.write(piece);
        let room = MOST.saturating_sub(self.start.len()).min(piece.len());
        self.start.extend(&piece[..room]);
        self.end.extend(&piece[room..]);
        let over = self.end.len().saturating_sub(MOST);
        self.end.drain(..over);
    }
}

/// The last lines of a text that say something.
pub(super) fn last_lines(text: &str, count: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let cut = |line: &&str| line.chars().take(300).collect();
    lines.iter().skip(lines.len().saturating_sub(count)).map(cut).collect()
}
