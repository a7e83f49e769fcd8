//! What a fuzzer can feed to the decoders; the test here feeds them a fixed corpus, each picture also
//! cut short and with bits turned.

use std::time::Duration;

use super::{Fit, Halt, Limits, Motion, Recipe, Shareable, Wanted, look, render, shareable};

const LIMITS: Limits = Limits {
    bytes_max: 1 << 20,
    pixels_max: 250_000,
    frames_max: 10,
};

/// A picture, which is shown or clearly refused.
///
/// # Panics
/// If nothing is shown of a picture that can be, or if what is left of one for others is none.
pub fn picture(bytes: &[u8]) {
    let halt = Halt::after(Duration::from_secs(60));
    let recipe = Recipe {
        fit: Fit::Inside(64),
        motion: Motion::Moving,
        wanted: Wanted::Common,
    };
    let shared = shareable(bytes, &LIMITS, &halt);
    if look(bytes, &LIMITS, &halt).is_err() {
        return;
    }
    assert!(!render(bytes, recipe, &LIMITS, &halt).is_ok_and(|made| made.is_empty()));
    if let Ok(Shareable::Cleaned(cleaned)) = shared {
        assert!(look(&cleaned, &LIMITS, &halt).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn damaged_pictures_are_shown_or_refused() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/picture");
        let mut count = 0;
        for file in fs::read_dir(corpus).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            picture(&bytes);
            for place in 0..bytes.len().min(256) {
                picture(&bytes[..place]);
                let mut turned = bytes.clone();
                turned[place] ^= 1 << (place % 8);
                picture(&turned);
            }
            count += 1;
        }
        assert!(count > 5, "{count} pictures");
    }
}
