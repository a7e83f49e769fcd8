//! A picture for a light and for a dark browser: shapes and words at places in pixels.
//!
//! Knows nothing of what is drawn. The same calls give the same bytes.

use std::fmt::Write as _;
use std::io;

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, IntoFont, PathElement,
    RGBColor, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What goes wrong is told by the backend, which writes into a text and so never fails.
pub(super) type Painted = Result<(), DrawingAreaErrorKind<io::Error>>;

/// The backend makes letters smaller by this.
const LETTERS: f64 = 1.24;
/// What the documents' readers have on their machines.
const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif";

/// A color that has one shade for light and one for dark browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Paper,
    Words,
    Quiet,
    Grid,
    Blue,
    Orange,
    Green,
    Purple,
    Pink,
    Teal,
}

impl Ink {
    const ALL: [Self; 10] = [
        Self::Paper,
        Self::Words,
        Self::Quiet,
        Self::Grid,
        Self::Blue,
        Self::Orange,
        Self::Green,
        Self::Purple,
        Self::Pink,
        Self::Teal,
    ];

    /// For light browsers; no two are the same, because the dark ones are found by them.
    fn light(self) -> RGBColor {
        match self {
            Self::Paper => RGBColor(0xff, 0xff, 0xff),
            Self::Words => RGBColor(0x1f, 0x23, 0x28),
            Self::Quiet => RGBColor(0x57, 0x60, 0x6a),
            Self::Grid => RGBColor(0xd8, 0xde, 0xe4),
            Self::Blue => RGBColor(0x0b, 0x5c, 0xad),
            Self::Orange => RGBColor(0xbc, 0x4c, 0x00),
            Self::Green => RGBColor(0x1a, 0x7f, 0x37),
            Self::Purple => RGBColor(0x82, 0x50, 0xdf),
            Self::Pink => RGBColor(0xbf, 0x39, 0x89),
            Self::Teal => RGBColor(0x0a, 0x7b, 0x83),
        }
    }

    fn dark(self) -> &'static str {
        match self {
            Self::Paper => "#0d1117",
            Self::Words => "#e6edf3",
            Self::Quiet => "#9aa4af",
            Self::Grid => "#30363d",
            Self::Blue => "#6cb0f5",
            Self::Orange => "#f0883e",
            Self::Green => "#3fb950",
            Self::Purple => "#bc8cff",
            Self::Pink => "#f778ba",
            Self::Teal => "#39c5cf",
        }
    }
}

/// On which side of its place a text stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Left,
    Right,
    Middle,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(super) enum Letters {
    Title,
    Heading,
    Normal,
    Small,
}

pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// A picture with this title, which is also read to those who do not see it.
pub(super) fn picture(
    title: &str,
    size: (u32, u32),
    paint: impl FnOnce(&Canvas<'_>) -> Painted,
) -> anyhow::Result<String> {
    let mut drawn = String::new();
    {
        let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
        area.fill(&Ink::Paper.light())?;
        let canvas = Canvas { area };
        canvas.text((20, 26), Side::Right, Letters::Title, Ink::Words, title)?;
        paint(&canvas)?;
        canvas.area.present()?;
    }
    let (head, shapes) = drawn
        .split_once(">\n")
        .expect("a picture begins with a tag");
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    Ok(format!(
        "{head} role=\"img\">\n<title>{title}</title>\n{}{shapes}",
        style()
    ))
}

/// A style is stronger than what stands at a shape, so it can give a color its dark shade.
fn style() -> String {
    let mut style = format!("<style>\ntext {{ font-family: {FONTS} }}\n");
    style.push_str("@media (prefers-color-scheme: dark) {\n");
    for ink in Ink::ALL {
        let RGBColor(red, green, blue) = ink.light();
        let (light, dark) = (format!("#{red:02X}{green:02X}{blue:02X}"), ink.dark());
        let _ = writeln!(style, "[fill=\"{light}\"] {{ fill: {dark} }}");
        let _ = writeln!(style, "[stroke=\"{light}\"] {{ stroke: {dark} }}");
    }
    style.push_str("}\n</style>\n");
    style
}

impl Canvas<'_> {
    pub(super) fn text(
        &self,
        at: (i32, i32),
        side: Side,
        letters: Letters,
        ink: Ink,
        words: &str,
    ) -> Painted {
        let (size, is_bold) = match letters {
            Letters::Title => (16.0, true),
            Letters::Heading => (13.0, true),
            Letters::Normal => (13.0, false),
            Letters::Small => (12.0, false),
        };
        let font = ("sans-serif", size * LETTERS).into_font();
        let font = match is_bold {
            true => font.style(plotters::style::FontStyle::Bold),
            false => font,
        };
        let place = match side {
            Side::Left => HPos::Right,
            Side::Right => HPos::Left,
            Side::Middle => HPos::Center,
        };
        let style = font.color(&ink.light()).pos(Pos::new(place, VPos::Center));
        self.area.draw(&Text::new(words.to_owned(), at, style))
    }

    pub(super) fn bar(&self, from: (i32, i32), to: (i32, i32), ink: Ink) -> Painted {
        let style = ink.light().filled();
        self.area.draw(&Rectangle::new([from, to], style))
    }

    pub(super) fn line(&self, points: &[(i32, i32)], width: u32, ink: Ink) -> Painted {
        let style = ink.light().stroke_width(width);
        self.area.draw(&PathElement::new(points.to_vec(), style))
    }

    pub(super) fn dot(&self, at: (i32, i32), ink: Ink) -> Painted {
        self.area.draw(&Circle::new(at, 4, ink.light().filled()))
    }

    /// A dot that is only a line around paper.
    pub(super) fn ring(&self, at: (i32, i32), ink: Ink) -> Painted {
        self.area
            .draw(&Circle::new(at, 4, Ink::Paper.light().filled()))?;
        self.area
            .draw(&Circle::new(at, 4, ink.light().stroke_width(2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_color_has_a_dark_shade_of_its_own() {
        for (number, ink) in Ink::ALL.iter().enumerate() {
            for other in &Ink::ALL[..number] {
                assert_ne!(ink.light(), other.light(), "{ink:?} and {other:?}");
                assert_ne!(ink.dark(), other.dark(), "{ink:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_picture_has_its_words_and_its_style() {
        let paint = |canvas: &Canvas<'_>| {
            canvas.text((9, 9), Side::Middle, Letters::Small, Ink::Quiet, "a < b")
        };
        let svg = picture("A & B", (100, 50), paint).unwrap();
        for words in ["<title>A &amp; B</title>", "a &lt; b", "[fill=\"#57606A\"]"] {
            assert!(svg.contains(words), "{words} is not in\n{svg}");
        }
        assert_eq!(svg, picture("A & B", (100, 50), paint).unwrap());
    }
}
