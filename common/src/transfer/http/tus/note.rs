//! What is remembered of an upload beside its content. The names of the fields are on disks of
//! people who upgrade: they are never renamed.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::metadata::{self, Metadata};
use crate::api::BlobClass;
use crate::id::UserId;
use crate::transfer::http::access::Caller;
use crate::transfer::http::finish::{Examined, Stored};
use crate::transfer::promised_bytes::Owner;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) class: Class,
    /// Who uploads; an upload of nobody in particular is open to whoever knows its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<u32>,
    /// From where it was begun.
    pub(super) address: IpAddr,
    /// `None` as long as the client does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) length: Option<u64>,
    /// The header as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<String>,
    #[serde(default, skip_serializing_if = "Part::is_whole")]
    pub(super) part: Part,
    /// What is behind this offset came with a checksum and was not checked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unchecked_from: Option<u64>,
    /// It is being kept; the content may be in the store already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) examined: Option<Examined>,
    /// It is finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stored: Option<Stored>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Class {
    File,
    Image,
}

/// What the upload is to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    /// A file of its own.
    #[default]
    Whole,
    /// A part of one that will be put together.
    Partial,
    /// Put together; the header as it was sent.
    Final(String),
}

impl Part {
    fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
}

impl From<BlobClass> for Class {
    fn from(class: BlobClass) -> Self {
        match class {
            BlobClass::File => Self::File,
            BlobClass::Image => Self::Image,
        }
    }
}

impl Note {
    /// What is on the disk; `None` for what we did not write, or not to the end.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn write(&self) -> Vec<u8> {
        // Numbers and texts can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn caller(&self) -> Caller {
        Caller {
            user: self.user.map(UserId),
            address: self.address,
        }
    }

    pub(super) fn owner(&self) -> Owner {
        owner(self.caller())
    }

    /// What the client said of the file. It was read when the upload was begun.
    pub(super) fn said(&self) -> Metadata {
        let text = self.metadata.as_deref().unwrap_or_default();
        metadata::read(text).unwrap_or_default()
    }
}

pub(super) fn owner(caller: Caller) -> Owner {
    match caller.user {
        Some(user) => Owner::User(user),
        None => Owner::Address(caller.address),
    }
}

#[cfg(test)]
impl Note {
    /// An upload of so many bytes that somebody who did not sign in is about to begin.
    pub(super) fn of_somebody(
        transfers: &crate::transfer::Transfers,
        length: u64,
    ) -> (Caller, Self) {
        let caller = Caller {
            user: None,
            address: std::net::Ipv4Addr::LOCALHOST.into(),
        };
        let note = Self {
            class: transfers.policy.class.into(),
            user: None,
            address: caller.address,
            length: Some(length),
            metadata: None,
            part: Part::Whole,
            unchecked_from: None,
            examined: None,
            stored: None,
        };
        (caller, note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::BlobId;

    #[test]
    fn a_note_is_read_as_it_was_written_and_its_form_stays() {
        let written = r#"{"class":"file","user":7,"address":"10.0.0.1","length":11,"metadata":"filename YQ==","part":{"final":"final;/files/uploads/x"},"unchecked_from":5,"examined":{"file":"abababababababababababababababababababababababababababababababab","size":11,"mime":"text/plain","md5":"900150983cd24fb0d6963f7d28e17f72"},"stored":{"file":"abababababababababababababababababababababababababababababababab","size":11,"mime":"text/plain","name":"a"}}"#;
        let note = Note::read(written.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(note.write()).unwrap(), written);
        assert_eq!(note.stored.unwrap().file, BlobId([0xab; 32]));
        let fresh = br#"{"class":"image","address":"::1","length":0}"#;
        let note = Note::read(fresh).unwrap();
        assert_eq!((note.part, note.user), (Part::Whole, None));
        for cut in 0..fresh.len() {
            assert_eq!(Note::read(&fresh[..cut]), None, "{cut}");
        }
    }
}
