//! A picture of a screen's size as a JPEG, and others of the same content that are other files.

use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use image_server::picture::{Fit, Halt, Limits, Motion, Recipe, Wanted, render};

const WIDTH: u16 = 1280;
const HEIGHT: u16 = 960;
/// No picture takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// With what every JPEG begins.
const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const COMMENT: [u8; 2] = [0xff, 0xfe];

pub(super) struct Picture {
    jpeg: Vec<u8>,
}

impl Picture {
    pub(super) fn make() -> anyhow::Result<Self> {
        let recipe = Recipe {
            fit: Fit::Inside(WIDTH.into()),
            motion: Motion::Still,
            wanted: Wanted::Common,
        };
        let halt = Halt::after(PATIENCE);
        let jpeg = render(&bitmap(), recipe, &Limits::default(), &halt)?;
        ensure!(jpeg.starts_with(&START_OF_IMAGE), "no JPEG came out");
        Ok(Self { jpeg })
    }

    /// Looks the same, and is another file for each number.
    pub(super) fn another(&self, number: u64) -> Bytes {
        let (start, rest) = self.jpeg.split_at(START_OF_IMAGE.len());
        let text = number.to_be_bytes();
        // The length of a comment counts itself.
        let length = [0, 2 + 8];
        [start, &COMMENT, &length, &text, rest].concat().into()
    }
}

/// The simplest file of a picture that there is (BMP, 24 bits a pixel), with smooth areas and some
/// noise, as a photo has.
fn bitmap() -> Vec<u8> {
    const HEAD_BYTES: u32 = 54;
    let (width, height) = (u32::from(WIDTH), u32::from(HEIGHT));
    let pixels = width * height * 3;
    let mut file = b"BM".to_vec();
    let put = |file: &mut Vec<u8>, numbers: &[u32]| {
        file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    };
    // Its length, nothing, where the pixels begin; the length of what describes them, their size,
    // one plane of 24 bits, not compressed; how many bytes they are, and what nobody needs.
    put(&mut file, &[HEAD_BYTES + pixels, 0, HEAD_BYTES, 40]);
    put(&mut file, &[width, height, 24 << 16 | 1, 0, pixels]);
    put(&mut file, &[0; 4]);
    let mut noise = fastrand::Rng::with_seed(1);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let bright = (x / 8 + y / 8) % 200;
            let bright = u8::try_from(bright).unwrap_or(u8::MAX);
            file.extend([0, 10, 20].map(|color| bright + color + noise.u8(..16)));
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_is_the_same_picture() {
        let picture = Picture::make().unwrap();
        let (one, other) = (picture.another(1), picture.another(2));
        assert_ne!(one, other);
        let recipe = Recipe {
            fit: Fit::Inside(64),
            motion: Motion::Still,
            wanted: Wanted::Common,
        };
        let small =
            |file: &[u8]| render(file, recipe, &Limits::default(), &Halt::after(PATIENCE)).unwrap();
        assert_eq!(small(&one), small(&other));
    }
}
