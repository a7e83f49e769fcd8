//! What server and worker say to each other: headers in JSON with their length before them, and
//! behind a header as many bytes as it says.
//!
//! The server believes nothing of it: lengths are compared with limits before anything is read, and
//! what does not fit the question is no answer.

use std::io::{self, ErrorKind, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::picture::{Fault, Format, Limits, Look, Recipe, Wanted};

/// A header is shorter: the longest has a sentence in it.
pub(crate) const HEADER_BYTES_MAX: usize = 4096;

/// A thumbhash has some 25 bytes, in base64.
const THUMBHASH_BYTES_MAX: usize = 64;

/// What is asked about a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// What it is.
    Look,
    /// A smaller one.
    Render(Recipe),
    /// The same without what its file tells.
    Share,
}

/// Said by the server; the bytes of the picture follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) task: Task,
    pub(crate) bytes: u64,
}

/// Said by the worker when it has begun: what holds it, or why it will not work.
pub(crate) type Greeting = Result<Confinement, String>;

/// What keeps a worker from doing anything but to decode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// It may ask the system for memory and for little else (seccomp).
    pub calls: bool,
    /// It may open no file (Landlock).
    pub files: bool,
}

/// Said by the worker about a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    Looked(Look),
    /// So many bytes follow.
    Made(u64),
    /// There was nothing to leave out.
    AsItIs,
    Refused(Fault),
    /// A decoder failed in a way that it never should.
    Failed,
}

/// A reply with what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub reply: Reply,
    pub made: Vec<u8>,
}

impl Answer {
    pub(super) fn made(made: Vec<u8>) -> Self {
        let bytes = u64::try_from(made.len()).unwrap_or(u64::MAX);
        let reply = Reply::Made(bytes);
        Self { reply, made }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        let made = Vec::new();
        Self { reply, made }
    }
}

impl Reply {
    /// The reply, if it can be one to this task; with a sentence of ours where it has one.
    pub(crate) fn to(self, task: Task, limits: &Limits) -> Option<Self> {
        match (self, task) {
            (Self::Looked(look), Task::Look) if is_possible(&look, limits) => {
                Some(Self::Looked(look))
            }
            (Self::Made(bytes), Task::Render(_) | Task::Share)
                if bytes <= limits.made_bytes_max() =>
            {
                Some(Self::Made(bytes))
            }
            (Self::AsItIs, Task::Share) => Some(Self::AsItIs),
            (Self::Refused(Fault::Broken(said)), _) => Some(Self::Refused(Fault::broken(said))),
            (Self::Refused(fault), _) => Some(Self::Refused(fault)),
            (Self::Failed, _) => Some(Self::Failed),
            (Self::Looked(_) | Self::Made(_) | Self::AsItIs, _) => None,
        }
    }
}

fn is_possible(look: &Look, limits: &Limits) -> bool {
    let thumbhash = look.thumbhash.as_bytes();
    limits.check_size(look.width, look.height).is_ok()
        && look.frames <= limits.frames_max
        && thumbhash.len() <= THUMBHASH_BYTES_MAX
        && thumbhash.iter().all(|byte| byte.is_ascii_graphic())
}

impl Task {
    /// Whether these bytes can be what was made.
    pub(crate) fn fits(self, made: &[u8]) -> bool {
        let Ok(format) = Format::of(made) else {
            return false;
        };
        match self {
            Self::Look => false,
            Self::Share => true,
            Self::Render(recipe) => match recipe.wanted {
                Wanted::WebP => format == Format::WebP,
                Wanted::Common => matches!(format, Format::Jpeg | Format::Png),
            },
        }
    }
}

/// A header as it goes through a pipe.
pub(crate) fn framed(header: &impl Serialize) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(header)?;
    let length = u32::try_from(header.len()).map_err(io::Error::other)?;
    Ok([&length.to_le_bytes()[..], &header].concat())
}

/// The next header; none if the input ended before it.
pub(super) fn read<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > HEADER_BYTES_MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut header = vec![0; length];
    input.read_exact(&mut header)?;
    Ok(Some(serde_json::from_slice(&header)?))
}
