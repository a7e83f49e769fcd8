//! Pictures as values: told apart, decoded within limits, turned upright, made smaller, encoded.
//!
//! Knows no files, no HTTP and no processes; whoever calls runs it where it may block, and says with
//! a [`Halt`] how long it may take.
//!
//! In reading order: `format` tells what bytes are, `limits` and `halt` bound what may be spent on
//! them, `webp` looks for sizes that do not fit, `jpeg` and `decode` make pixels of them, `animation` their frames, `canvas` turns pixels
//! upright and makes them smaller, `color` brings them to sRGB, `encode` and `moving` make
//! bytes again. `look`, `render` and `share` are what others call.
//!
//! **Invariant:** nothing here trusts a size that a file states: it is compared with the limits
//! before memory is taken for it.

mod animation;
mod canvas;
mod color;
mod decode;
mod encode;
mod fault;
mod format;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod halt;
mod jpeg;
mod limits;
mod look;
mod moving;
mod render;
mod share;
mod webp;

pub use canvas::Fit;
pub use fault::{Fault, Unit};
pub use format::{Format, OtherFormat};
pub use halt::Halt;
pub use limits::Limits;
pub use look::{Look, look};
pub use render::{Motion, Recipe, Wanted, render};
pub use share::{Shareable, shareable};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
