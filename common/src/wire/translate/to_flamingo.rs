//! Writes segments as the chat JSON of the existing clients.

use std::collections::HashMap;

use super::fit::{Item, fit, write};
use super::{NEWER, PICTURE, base_name, file_text, is_md5, mention_text};
use crate::api::{BlobClass, KnownSegment, Mentioned, Segment, SegmentedContent};
use crate::id::{BlobId, Millis, UserId};

/// A message with text, faces, files; pictures in it are announced.
const MIXED: i32 = 1;
/// A message that says: an announced picture is on the server now.
const PICTURE_THERE: i32 = 2;
/// The longest file name for the clients, in bytes. The Windows client builds paths in buffers of
/// 260 characters; this leaves it more than half for the folder.
const FILE_NAME_BYTES_MAX: usize = 120;
/// What the Windows client can show. It takes the format from the file; the name only has to be
/// one of a picture.
const PICTURE_ENDINGS: [&str; 5] = ["jpg", "jpeg", "png", "gif", "bmp"];

/// What has to be looked up to translate a message, each thing once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whose nicknames.
    pub people: Vec<UserId>,
    /// Which contents' names on the old file and picture servers.
    pub blobs: Vec<(BlobClass, BlobId)>,
}

/// What was found. What is missing becomes a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub people: HashMap<UserId, String>,
    /// The MD5, in hexadecimal, under which the old servers give a content out.
    pub blobs: HashMap<(BlobClass, BlobId), String>,
    /// An [`super::excerpt`] of the message that is answered, or its author's name.
    pub quoted: Option<String>,
}

/// See [`Needs`].
pub fn needs(segments: &[Segment]) -> Needs {
    let mut needs = Needs::default();
    for segment in segments {
        if let Segment::Known(KnownSegment::Mention {
            user_id: Mentioned::User(user),
        }) = segment
            && !needs.people.contains(user)
        {
            needs.people.push(*user);
        }
        if let Some(blob) = segment.file()
            && !needs.blobs.contains(&blob)
        {
            needs.blobs.push(blob);
        }
    }
    needs
}

/// A message for the existing clients: one chat JSON, and one more for each picture in it. That is
/// how the Windows client sends pictures, and the only way in which it shows them reliably: the
/// first message says where they stand, the others make it fetch them.
pub fn to_flamingo(content: &SegmentedContent, at: Millis, names: &Names) -> Vec<Vec<u8>> {
    let mut draft = Draft::default();
    if let Some(from) = &content.forwarded_from {
        draft.text(&format!("[forwarded from {}]\n", from.nickname));
    }
    if let (Some(_), Some(quoted)) = (content.reply_to, &names.quoted) {
        draft.text(&format!("> {quoted}\n"));
    }
    draft.segments(&content.segments, names);
    draft.write(at)
}

/// As [`to_flamingo`], for what a message says after it was changed.
pub fn edited(segments: &[Segment], at: Millis, names: &Names) -> Vec<Vec<u8>> {
    let mut draft = Draft::default();
    draft.text("[edited] ");
    draft.segments(segments, names);
    draft.write(at)
}

/// A message with this text and nothing else.
pub fn notice(text: &str, at: Millis) -> Vec<u8> {
    write(MIXED, &fit(vec![Item::Text(text.to_owned())]), at)
}

/// A message in the making.
#[derive(Default)]
struct Draft {
    items: Vec<Item>,
    /// For each announced picture what says that it is there.
    pictures: HashMap<String, Item>,
}

impl Draft {
    /// Adds a text, to the text before it if there is one: not every client shows more than one.
    fn text(&mut self, more: &str) {
        match self.items.last_mut() {
            Some(Item::Text(text)) => text.push_str(more),
            _ => self.items.push(Item::Text(more.to_owned())),
        }
    }

    fn segments(&mut self, segments: &[Segment], names: &Names) {
        for segment in segments {
            match segment {
                Segment::Known(known) => self.segment(known, names),
                Segment::Unknown(_) => self.text(NEWER),
            }
        }
    }

    fn segment(&mut self, segment: &KnownSegment, names: &Names) {
        match segment {
            KnownSegment::Text { text } => self.text(text),
            KnownSegment::Face { id } => match i32::try_from(*id) {
                Ok(id) => self.items.push(Item::Face(id)),
                // The Windows client ends itself over a number that it cannot hold.
                Err(_) => self.text(&format!("[face {id}]")),
            },
            KnownSegment::Nudge {} => self.items.push(Item::Nudge(1)),
            KnownSegment::Mention { user_id } => {
                let nickname = match user_id {
                    Mentioned::User(user) => names.people.get(user).map(String::as_str),
                    Mentioned::All => None,
                };
                self.text(&mention_text(*user_id, nickname));
            }
            KnownSegment::Custom { .. } => self.text(NEWER),
            KnownSegment::Image {
                file,
                width,
                height,
                size,
                name,
                ..
            } => {
                let name = name.as_deref().unwrap_or_default();
                match names
                    .blobs
                    .get(&(BlobClass::Image, *file))
                    .filter(|md5| is_md5(md5))
                {
                    Some(md5) => self.picture(md5, name, *size, (*width, *height)),
                    None => self.text(PICTURE),
                }
            }
            KnownSegment::File {
                file, name, size, ..
            } => {
                match names
                    .blobs
                    .get(&(BlobClass::File, *file))
                    .filter(|md5| is_md5(md5))
                {
                    Some(md5) => {
                        let (name, size) = (file_name(name), clamped(*size));
                        self.items.push(Item::File(name, md5.clone(), size, 0));
                    }
                    None => self.text(&file_text(name)),
                }
            }
        }
    }

    fn picture(&mut self, md5: &str, name: &str, size: u64, (width, height): (u32, u32)) {
        // The Windows client saves the picture under this name.
        let local = format!("{md5}.{}", ending(name));
        let pixels = |number| i32::try_from(number).unwrap_or(0);
        let (width, height) = (pixels(width), pixels(height));
        let (md5, size) = (md5.to_owned(), clamped(size));
        self.items.push(Item::Picture(
            local.clone(),
            local.clone(),
            0,
            width,
            height,
        ));
        let there = Item::Picture(local.clone(), md5, size, width, height);
        self.pictures.insert(local, there);
    }

    fn write(mut self, at: Millis) -> Vec<Vec<u8>> {
        let items = fit(self.items);
        let mut messages = vec![write(MIXED, &items, at)];
        for item in &items {
            // A picture that is in the message twice is fetched once.
            if let Item::Picture(local, ..) = item
                && let Some(there) = self.pictures.remove(local)
            {
                messages.push(write(PICTURE_THERE, &[there], at));
            }
        }
        messages
    }
}

/// The clients hold sizes in 32 bits, and the Windows client ends itself over a larger one. They
/// only show it.
fn clamped(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn ending(name: &str) -> &str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    PICTURE_ENDINGS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(ending))
        .unwrap_or("jpg")
}

/// A name that can be a file's on every system, not too long, with its ending kept.
fn file_name(name: &str) -> String {
    let name = base_name(name);
    let printable = |character: char| {
        let is_odd = character.is_control() || "<>:\"|?*".contains(character);
        if is_odd { '_' } else { character }
    };
    let name: String = name.chars().map(printable).collect();
    if name.len() <= FILE_NAME_BYTES_MAX {
        return if name.is_empty() {
            "file".to_owned()
        } else {
            name
        };
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending = &ending[..ending.floor_char_boundary(16)];
    let stem = &name[..name.floor_char_boundary(FILE_NAME_BYTES_MAX - 1 - ending.len())];
    format!("{stem}.{ending}")
}
