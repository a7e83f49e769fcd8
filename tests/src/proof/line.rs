//! A WebSocket of somebody whose server may die at any moment: nothing here fails a test, and
//! nothing is judged. What came is for the history.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::client_with_config;
use tokio_tungstenite::tungstenite::protocol::{WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::peer::PATIENCE;
use crate::socket::handshake;

/// The connection ended, or never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broke;

/// One connection.
#[derive(Debug)]
pub struct Line {
    stream: WebSocket<TcpStream>,
    next_id: u64,
}

impl Line {
    /// Connects and says hello.
    ///
    /// # Errors
    /// When there is no server, or it does not greet back.
    pub fn open(address: SocketAddr, token: &str) -> Result<Self, Broke> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|_| Broke)?;
        stream.set_nodelay(true).map_err(|_| Broke)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|_| Broke)?;
        let config = WebSocketConfig::default();
        let (stream, _) =
            client_with_config(handshake(address), stream, Some(config)).map_err(|_| Broke)?;
        let mut line = Self { stream, next_id: 1 };
        let id = line.request("hello", json!({"token": token}))?;
        match line.receive(PATIENCE)? {
            Some(answer) if answer["id"] == id && answer["ok"].is_object() => Ok(line),
            _ => Err(Broke),
        }
    }

    /// Sends a request; its number.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn request(&mut self, op: &str, mut fields: Value) -> Result<u64, Broke> {
        let id = self.next_id;
        self.next_id += 1;
        fields["id"] = json!(id);
        fields["op"] = json!(op);
        let sent = self.stream.send(Message::text(fields.to_string()));
        sent.map(|()| id).map_err(|_| Broke)
    }

    /// The next event or answer; nothing if none comes in time.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn receive(&mut self, patience: Duration) -> Result<Option<Value>, Broke> {
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(patience)).map_err(|_| Broke)?;
        match self.stream.read() {
            Ok(Message::Text(text)) => {
                let value = serde_json::from_str(&text);
                Ok(Some(value.unwrap_or_else(|error| {
                    panic!("a frame is JSON: {error}: {text}")
                })))
            }
            Ok(Message::Close(_)) => Err(Broke),
            Ok(_) => Ok(None),
            Err(Error::Io(error)) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(None),
                _ => Err(Broke),
            },
            Err(_) => Err(Broke),
        }
    }
}
