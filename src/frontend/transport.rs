//! The wire: HTTP/2 over the process's own stdin and stdout, with prior knowledge. BuildKit
//! is the server, we are the client, and the connection has to be there within seconds of the
//! container's start: so it is made eagerly, before anything else.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;
use tonic::transport::{Channel, Endpoint};

/// What either side may send in one message, and in one block of headers: a trailer may hold a
/// whole error with the file that it points at.
pub(super) const LIMIT: u32 = 16 << 20;

/// Connects.
pub(super) async fn connect() -> Result<Channel, Box<dyn std::error::Error>> {
    let endpoint = Endpoint::from_static("http://localhost")
        .http2_max_header_list_size(LIMIT)
        .initial_stream_window_size(LIMIT)
        .initial_connection_window_size(LIMIT);
    let mut stdio = Some(Stdio::open()?);
    let connector = tower::service_fn(move |_| {
        // There is one stdin and one stdout: a second connection cannot be made.
        let taken = stdio.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
        async move { taken.map(TokioIo::new) }
    });
    Ok(endpoint.connect_with_connector(connector).await?)
}

/// stdin and stdout as one stream.
struct Stdio {
    input: Box<dyn AsyncRead + Send + Unpin>,
    output: Box<dyn AsyncWrite + Send + Unpin>,
}

impl Stdio {
    /// Pipes are read and written without blocking, on the one thread there is; anything else
    /// (a file, a terminal) through tokio's helper threads.
    fn open() -> io::Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        let input: Box<dyn AsyncRead + Send + Unpin> = match pipe::Receiver::from_owned_fd(input) {
            Ok(pipe) => Box::new(pipe),
            Err(_) => Box::new(tokio::io::stdin()),
        };
        let output: Box<dyn AsyncWrite + Send + Unpin> = match pipe::Sender::from_owned_fd(output) {
            Ok(pipe) => Box::new(pipe),
            Err(_) => Box::new(tokio::io::stdout()),
        };
        Ok(Self { input, output })
    }
}

impl AsyncRead for Stdio {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.output).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_shutdown(cx)
    }
}
