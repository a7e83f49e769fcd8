//! Several parts of a file in one body: RFC 9110, section 14.6.

use std::collections::VecDeque;

use bytes::Bytes;
use uuid::Uuid;

use super::body::Step;
use super::range::Part;

/// A body of several parts.
#[derive(Debug)]
pub(super) struct Multipart {
    pub(super) content_type: String,
    pub(super) steps: VecDeque<Step>,
}

/// The parts of a file with `total` bytes. The boundary is drawn by lot, so that nobody can upload
/// a file that contains it.
pub(super) fn multipart(parts: &[Part], part_type: &str, total: u64) -> Multipart {
    let boundary = Uuid::new_v4().simple();
    let mut steps = VecDeque::with_capacity(parts.len() * 2 + 1);
    for part in parts {
        let (from, last) = (part.offset, part.end() - 1);
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {part_type}\r\n\
             Content-Range: bytes {from}-{last}/{total}\r\n\r\n"
        );
        steps.push_back(Step::Text(Bytes::from(head)));
        steps.push_back(Step::Part(*part));
    }
    let end = format!("\r\n--{boundary}--\r\n");
    steps.push_back(Step::Text(Bytes::from(end)));
    Multipart {
        content_type: format!("multipart/byteranges; boundary={boundary}"),
        steps,
    }
}
