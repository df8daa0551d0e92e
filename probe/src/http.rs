//! One HTTP/1.1 request over plain TCP (RFC 9112), with a deadline for all of it.

use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// A service answers a health check in a few bytes; more than this is not looked at.
const MOST: u64 = 1 << 20;
const MOST_REDIRECTS: usize = 5;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, up to a mebibyte of it.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The URL is none that can be asked.
    Url(String),
    /// The connection could not be made, or broke.
    Connection(std::io::Error),
    /// What came is not HTTP.
    Malformed,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "`{url}` is no URL like http://127.0.0.1:8080/health"),
            Self::Connection(error) => write!(f, "{error}"),
            Self::Malformed => f.write_str("the answer is not HTTP"),
        }
    }
}

impl std::error::Error for Failure {}

/// Connects to `host:port`.
pub fn connect(address: &str, deadline: Instant) -> Result<TcpStream, Failure> {
    let addresses = address.to_socket_addrs().map_err(Failure::Connection)?;
    let mut last = std::io::Error::other("the name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, remaining(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(Failure::Connection(last))
}

/// Asks a server for a path, and gives the status as soon as it is there, whatever follows.
pub fn status(address: &str, path: &str, deadline: Instant) -> Result<u16, Failure> {
    let mut stream = connect(address, deadline)?;
    let io = Failure::Connection;
    stream.set_write_timeout(Some(remaining(deadline)?)).map_err(io)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(io)?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n") && head.len() < 1024 {
        stream.set_read_timeout(Some(remaining(deadline)?)).map_err(io)?;
        if stream.read(&mut byte).map_err(io)? == 0 {
            return Err(io(std::io::ErrorKind::UnexpectedEof.into()));
        }
        head.push(byte[0]);
    }
    status_of(&head).ok_or(Failure::Malformed)
}

/// The status in an answer's first line.
pub fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let text = String::from_utf8_lossy(line);
    let mut words = text.trim().split(' ');
    words.next().filter(|word| word.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

/// Whether an answer says how long it is.
pub fn tells_its_length(answer: &[u8]) -> bool {
    split(answer).is_some_and(|(head, _)| {
        header(&head, "content-length").is_some() || header(&head, "transfer-encoding").is_some()
    })
}

/// Asks for a URL, following redirects on the same host.
pub fn get(url: &str, deadline: Instant) -> Result<Answer, Failure> {
    let mut url = url.to_owned();
    for _ in 0..MOST_REDIRECTS {
        let (answer, redirect) = get_once(&url, deadline)?;
        match redirect {
            Some(location) if (300..400).contains(&answer.status) => url = location,
            _ => return Ok(answer),
        }
    }
    Err(Failure::Connection(std::io::Error::other("it redirects in a circle")))
}

/// Whether a status is in a list of numbers and ranges.
pub fn accepted(list: &str, status: u16) -> bool {
    list.split(',').any(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        matches!((from.trim().parse::<u16>(), to.trim().parse::<u16>()), (Ok(from), Ok(to)) if (from..=to).contains(&status))
    })
}

fn get_once(url: &str, deadline: Instant) -> Result<(Answer, Option<String>), Failure> {
    let rest = url.strip_prefix("http://").ok_or_else(|| Failure::Url(url.to_owned()))?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if port { host.to_owned() } else { format!("{host}:80") };
    let mut stream = connect(&address, deadline)?;
    let io = Failure::Connection;
    stream.set_write_timeout(Some(remaining(deadline)?)).map_err(io)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: slipway-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(io)?;
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while (bytes.len() as u64) < MOST && !complete(&bytes) {
        stream.set_read_timeout(Some(remaining(deadline)?)).map_err(io)?;
        match stream.read(&mut part).map_err(io)? {
            0 => break,
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
    let (answer, location) = parse(&bytes).ok_or(Failure::Malformed)?;
    let location = location.and_then(|location| match location {
        location if location.starts_with('/') => Some(format!("http://{host}{location}")),
        location if location.starts_with(&format!("http://{host}/")) => Some(location),
        _ => None,
    });
    Ok((answer, location))
}

/// Whether an answer whose length is told is there, all of it: some servers keep the connection open.
pub fn complete(bytes: &[u8]) -> bool {
    let Some((head, body)) = split(bytes) else { return false };
    if header(&head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return body.ends_with(b"0\r\n\r\n");
    }
    header(&head, "content-length")
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| body.len() >= length)
}

fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 4..]))
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines
        .into_iter()
        .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}

fn parse(bytes: &[u8]) -> Option<(Answer, Option<String>)> {
    let (head, body) = split(bytes)?;
    let mut words = head.lines().next()?.split(' ');
    if !words.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let status = words.next()?.parse().ok()?;
    let chunked =
        header(&head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let body = if chunked { unchunked(body) } else { body.to_vec() };
    Some((Answer { status, body: String::from_utf8_lossy(&body).into_owned() }, header(&head, "location")))
}

/// The body without its chunks' sizes (RFC 9112, 7.1); what is cut off stays cut off.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = String::from_utf8_lossy(&bytes[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        let data = &bytes[end + 2..];
        if size == 0 {
            break;
        }
        body.extend_from_slice(&data[..size.min(data.len())]);
        bytes = data.get(size.saturating_add(2)..).unwrap_or_default();
    }
    body
}

fn remaining(deadline: Instant) -> Result<Duration, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Failure::Connection(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            "no answer in time",
        )));
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A server that gives these answers, one per connection, and its address.
    fn server(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut request = [0; 1024];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(answer.as_bytes());
                // Kept open, as servers do that ignore `Connection: close`.
                std::mem::forget(stream);
            }
        });
        address
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn answers_in_both_forms() {
        let address = server(vec![
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
            "HTTP/1.1 301 Moved\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nbad".to_owned(),
        ]);
        let answer = get(&format!("http://{address}/"), soon()).expect("answered");
        assert_eq!(answer, Answer { status: 200, body: "hello".to_owned() });
        let answer = get(&format!("http://{address}/old"), soon()).expect("answered");
        assert_eq!(answer, Answer { status: 503, body: "bad".to_owned() });
        let (answer, _) = parse(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        )
        .expect("HTTP");
        assert_eq!(answer.body, "hello");
    }

    #[test]
    fn what_is_no_answer() {
        let address = server(vec!["SSH-2.0-x\r\n\r\n".to_owned(), String::new()]);
        let url = format!("http://{address}/");
        assert!(matches!(
            get(&url, Instant::now() + Duration::from_millis(300)),
            Err(Failure::Malformed | Failure::Connection(_))
        ));
        let silent = get(&url, Instant::now() + Duration::from_millis(200)).expect_err("silent");
        assert!(matches!(silent, Failure::Connection(_)), "{silent}");
        assert!(matches!(get("https://x/", soon()), Err(Failure::Url(_))));
        assert!(matches!(get("http://127.0.0.1:1/", soon()), Err(Failure::Connection(_))));
    }
}
