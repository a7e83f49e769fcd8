//! The pictures that the fuzzer begins with, each also cut short and with bits turned: shown or
//! clearly refused.

use std::fs;
use std::path::Path;
use std::time::Duration;

use image_server::picture::{
    Fit, Halt, Limits, Motion, Recipe, Shareable, Wanted, look, render, shareable,
};

const LIMITS: Limits = Limits {
    bytes_max: 1 << 20,
    pixels_max: 250_000,
    frames_max: 10,
};

fn handle(bytes: &[u8]) {
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

#[test]
fn damaged_pictures_are_shown_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/picture");
    let mut count = 0;
    for file in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        handle(&bytes);
        for place in 0..bytes.len().min(256) {
            handle(&bytes[..place]);
            let mut turned = bytes.clone();
            turned[place] ^= 1 << (place % 8);
            handle(&turned);
        }
        count += 1;
    }
    assert!(count > 5, "{count} pictures");
}
