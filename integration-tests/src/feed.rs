//! The market system's feed, as a browser sees it: a websocket through the ingress.

use std::net::TcpStream;
use std::time::Duration;

use tungstenite::Message;

/// A connection to the feed.
pub struct Feed(tungstenite::WebSocket<TcpStream>);

impl Feed {
    /// Connects to an ingress on this port.
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the ingress listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let url = format!("ws://localhost:{port}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = tungstenite::client(url, stream).expect("the connection is upgraded");
        let mut feed = Self(socket);
        assert!(feed.message().starts_with('0'), "engine.io opens");
        feed.0.send(Message::text("40")).expect("sent");
        assert!(feed.message().starts_with("40"), "socket.io connects");
        feed
    }

    /// The next message that is no heartbeat.
    pub fn message(&mut self) -> String {
        loop {
            let text = self.0.read().expect("a message").into_text().expect("text").to_string();
            if text == "2" {
                self.0.send(Message::text("3")).expect("sent");
                continue;
            }
            return text;
        }
    }
}
