//! Renditions: a smaller picture out of a picture.

use serde::{Deserialize, Serialize};

use super::canvas::{self, Fit};
use super::encode::{self, RENDITION_QUALITY};
use super::{Fault, Format, Halt, Limits, color, decode, moving};

/// What a rendition is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Recipe {
    pub fit: Fit,
    pub motion: Motion,
    pub wanted: Wanted,
}

/// What becomes of a picture that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Motion {
    /// Its first frame.
    Still,
    /// All frames, where the format that is wanted can move.
    Moving,
}

/// What whoever asks can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Wanted {
    WebP,
    /// JPEG, or PNG if something is transparent: what every program shows.
    Common,
}

/// Makes a rendition: the bytes of a file.
///
/// # Errors
/// A [`Fault`] if there is no picture to make it of.
pub fn render(
    bytes: &[u8],
    recipe: Recipe,
    limits: &Limits,
    halt: &Halt,
) -> Result<Vec<u8>, Fault> {
    let format = Format::of(bytes)?;
    if recipe.motion == Motion::Moving
        && recipe.wanted == Wanted::WebP
        && let Some(moving) = moving::webp(bytes, format, recipe.fit, limits, halt)?
    {
        return Ok(moving);
    }
    let still = decode::still(bytes, format, limits, halt)?;
    halt.check()?;
    let picture = canvas::fitted(still.pixels, recipe.fit, still.orientation)?;
    let picture = color::to_srgb(picture, still.profile.as_deref());
    halt.check()?;
    match recipe.wanted {
        Wanted::WebP => encode::webp(&picture, RENDITION_QUALITY),
        Wanted::Common if picture.color().has_alpha() => encode::png(&picture, None),
        Wanted::Common => encode::jpeg(&picture, RENDITION_QUALITY, None),
    }
}
