//! Saying something: text, pictures, files, a nudge.
//!
//! No send is answered. `Ok` means that the connection has taken it, not that it has arrived.

use bytes::Bytes;
use common::id::Peer;
use common::wire::command::{self, client_type, message_type};
use common::wire::stream::Writer;
use serde_json::{Value, json};

use super::friends::wire_number;
use super::{Client, Imitate, Result};

/// A picture on the image server, or on its way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The name to show and to store it under, such as `<md5>.png`.
    pub name: String,
    /// The MD5 it is uploaded under.
    pub md5: String,
    pub size: u32,
    pub width: u32,
    pub height: u32,
}

/// A file on the file server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNote {
    pub name: String,
    /// The MD5 it was uploaded under.
    pub md5: String,
    pub size: u32,
}

impl Client {
    pub async fn send_text(&self, target: Peer, text: &str) -> Result<()> {
        let content = json!([{ "msgText": text }]);
        self.send_content(target, message_type::TEXT, &content)
            .await
    }

    /// Sends a whole chat message, JSON or not, as it is.
    pub async fn send_chat(&self, target: Peer, message: impl Into<Bytes>) -> Result<()> {
        let target = Writer::new().i32(wire_number(target)).fields();
        self.send_raw(command::CHAT, message, target).await
    }

    /// Sends a whole chat message to several at once.
    pub async fn send_to_many(&self, targets: &[Peer], message: impl Into<Bytes>) -> Result<()> {
        let numbers: Vec<u32> = targets.iter().map(|target| target.number()).collect();
        let targets = json!({"targets": numbers}).to_string();
        let targets = Writer::new().bytes(targets.as_bytes()).fields();
        self.send_raw(command::MULTI_CHAT, message, targets).await
    }

    /// Shakes the other one's window.
    pub async fn nudge(&self, target: Peer) -> Result<()> {
        let content = json!([{ "shake": 1 }]);
        self.send_content(target, message_type::TEXT, &content)
            .await
    }

    /// Says that a picture will come; the PC client does this before it uploads.
    pub async fn announce_picture(&self, target: Peer, picture: &Picture) -> Result<()> {
        let Picture {
            name,
            width,
            height,
            ..
        } = picture;
        let content = json!([{ "pic": [name, name, 0, width, height] }]);
        self.send_content(target, message_type::TEXT, &content)
            .await
    }

    /// Says that a picture has been uploaded, in the way of the imitated client.
    pub async fn send_picture(&self, target: Peer, picture: &Picture) -> Result<()> {
        let Picture {
            name,
            md5,
            size,
            width,
            height,
        } = picture;
        let (kind, width, height) = match self.options().imitate {
            Imitate::Pc => (message_type::PICTURE_UPLOADED, *width, *height),
            Imitate::Android => (message_type::PHONE_PICTURE, 0, 0),
        };
        let content = json!([{ "pic": [name, md5, size, width, height] }]);
        self.send_content(target, kind, &content).await
    }

    /// Says that a file has been uploaded.
    pub async fn send_file_note(&self, target: Peer, file: &FileNote) -> Result<()> {
        let content = json!([{ "file": [file.name, file.md5, file.size, 0] }]);
        self.send_content(target, message_type::TEXT, &content)
            .await
    }

    /// Passes on a piece of a screen.
    pub async fn send_remote_desktop(
        &self,
        target: Peer,
        header: &[u8],
        data: &[u8],
    ) -> Result<()> {
        let mut fields = Writer::new();
        fields.bytes(header).bytes(data).i32(wire_number(target));
        self.send_raw(command::REMOTE_DESKTOP, "", fields.fields())
            .await
    }

    async fn send_content(&self, target: Peer, kind: i32, content: &Value) -> Result<()> {
        let message = envelope(self.options().imitate, kind, content);
        self.send_chat(target, message.to_string()).await
    }
}

/// The time is 0 because every server puts its own there before anyone reads it.
fn envelope(imitate: Imitate, kind: i32, content: &Value) -> Value {
    let platform = match (imitate, kind) {
        (Imitate::Pc, _) => client_type::PC,
        // Android counts platforms in another way for pictures.
        (Imitate::Android, message_type::PHONE_PICTURE) => client_type::IOS,
        (Imitate::Android, _) => client_type::ANDROID,
    };
    json!({"msgType": kind, "time": 0, "clientType": platform, "content": content})
}
