//! Files and pictures: to and from the file server and the image server, over HTTP.
//!
//! In reading order: `upload` and `download` are the two ways, each going on after whatever broke;
//! `unfinished` is what outlives the program meanwhile. `source` is the file that goes up, `part`
//! the one that comes down. `tus` says what the protocol of uploads says, `line` carries it, `site`
//! knows where to, and `tries` when it is enough. Never holds more of a file than some pieces.

mod download;
mod line;
mod part;
mod site;
mod source;
mod tries;
mod tus;
mod unfinished;
mod upload;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::model::{BlobId, KnownSegment, Segment};

pub use download::{Download, Downloaded};
pub use unfinished::{Begun, Unfinished, UnfinishedFolder};
pub use upload::Upload;

/// Where a file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    Files,
    Pictures,
}

/// How far a transfer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of so many are through. What broke may take some of them back.
    Moved { done: u64, total: u64 },
    /// It broke, and goes on after this time.
    Waiting { reason: String, next_try: Duration },
}

/// A file that is on the server now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The SHA-256 of the content: what segments name.
    pub file: BlobId,
    pub bytes: u64,
    /// What the server found in the bytes.
    pub mime: String,
    /// Of pictures only.
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub thumbhash: Option<String>,
    /// It was there already, so nothing was sent.
    pub was_there: bool,
}

impl Uploaded {
    /// The part of a message that shows it as a file.
    pub fn as_file(&self, name: &str) -> Segment {
        KnownSegment::File {
            file: self.file,
            name: name.to_owned(),
            size: self.bytes,
            mime: self.mime.clone(),
        }
        .into()
    }

    /// The part of a message that shows it as a picture.
    pub fn as_picture(&self, name: Option<&str>) -> Segment {
        KnownSegment::Image {
            file: self.file,
            width: self.width.unwrap_or_default(),
            height: self.height.unwrap_or_default(),
            size: self.bytes,
            name: name.map(str::to_owned),
            thumbhash: self.thumbhash.clone(),
        }
        .into()
    }
}
