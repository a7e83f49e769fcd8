//! What a fuzzer can feed to the bodies of the API; the test here feeds it a fixed corpus.

use common::api::Segment;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::json;

#[derive(Deserialize)]
struct Message {
    segments: Vec<Segment>,
}

/// A body.
///
/// # Panics
/// If what was read cannot be written, or is refused then.
pub fn body(bytes: &[u8]) {
    if let Ok(message) = json::read::<Message>(bytes) {
        let _ = message.segments.len();
    }
    let Ok(object) = json::read::<Map<String, Value>>(bytes) else {
        return;
    };
    let text = serde_json::to_vec(&object).expect("an object can be written");
    assert!(json::read::<Map<String, Value>>(&text).is_ok());
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn no_corpus_panics() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/body");
        let mut count = 0;
        for file in fs::read_dir(folder).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            (0..=bytes.len().min(256)).for_each(|length| body(&bytes[..length]));
            body(&bytes);
            count += 1;
        }
        assert!(count > 0, "the corpus is empty");
    }
}
