//! Pictures good and bad, through `look`, `render` and `shareable`.

use std::time::Duration;

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, RgbImage, Rgba};
use proptest::prelude::*;

use super::samples::{self, SECRET};
use super::*;

const LIMITS: Limits = Limits {
    bytes_max: 1 << 20,
    pixels_max: 100_000,
    frames_max: 50,
};

fn halt() -> Halt {
    Halt::after(Duration::from_secs(60))
}

fn seen(bytes: &[u8]) -> Result<Look, Fault> {
    look(bytes, &LIMITS, &halt())
}

fn recipe(fit: Fit, wanted: Wanted) -> Recipe {
    let motion = Motion::Moving;
    Recipe {
        fit,
        motion,
        wanted,
    }
}

fn made(bytes: &[u8], fit: Fit, wanted: Wanted) -> Vec<u8> {
    render(bytes, recipe(fit, wanted), &LIMITS, &halt()).unwrap()
}

fn shared(bytes: &[u8]) -> Vec<u8> {
    match shareable(bytes, &LIMITS, &halt()).unwrap() {
        Shareable::AsItIs => bytes.to_vec(),
        Shareable::Cleaned(cleaned) => cleaned,
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Decodes with the library alone, and without turning anything.
fn pixels(bytes: &[u8]) -> DynamicImage {
    let format = Format::of(bytes).unwrap();
    decode::still(bytes, format, &Limits::default(), &halt())
        .unwrap()
        .pixels
}

/// Whether a picture shows the four quarters of [`samples::quarters`], upright.
fn is_upright(picture: &RgbImage) -> bool {
    let (width, height) = picture.dimensions();
    let wanted = samples::quarters(width, height);
    let near = |a: u8, b: u8| a.abs_diff(b) < 48;
    [(1, 1), (3, 1), (1, 3), (3, 3)].iter().all(|(x, y)| {
        let (x, y) = (width * x / 4, height * y / 4);
        let (is, should) = (picture.get_pixel(x, y).0, wanted.get_pixel(x, y).0);
        is.iter().zip(should).all(|(is, should)| near(*is, should))
    })
}

const ORIENTATIONS: [Orientation; 8] = [
    Orientation::NoTransforms,
    Orientation::FlipHorizontal,
    Orientation::Rotate180,
    Orientation::FlipVertical,
    Orientation::Rotate90FlipH,
    Orientation::Rotate90,
    Orientation::Rotate270FlipH,
    Orientation::Rotate270,
];

/// One file of each format, with secrets wherever the format has a place for them.
fn telling(orientation: Orientation) -> [(Format, Vec<u8>); 3] {
    let lying = samples::lying(&samples::quarters(64, 32), orientation);
    [
        (Format::Jpeg, samples::jpeg_with(&lying, orientation)),
        (Format::Png, samples::png_with(&lying, orientation)),
        (Format::WebP, samples::webp_with(&lying, orientation)),
    ]
}

#[test]
fn every_format_is_seen() {
    let picture = samples::quarters(64, 32);
    let samples = [
        (Format::Jpeg, samples::jpeg(&picture), 0),
        (Format::Png, samples::png(picture.clone()), 0),
        (Format::Gif, samples::gif(64, 32, 3), 3),
        (Format::WebP, samples::webp(picture.clone()), 0),
        (Format::Bmp, samples::bmp(&picture), 0),
    ];
    for (format, bytes, frames) in samples {
        let look = seen(&bytes).unwrap();
        assert_eq!((look.format, look.frames), (format, frames));
        assert_eq!((look.width, look.height), (64, 32), "{format:?}");
        assert!(look.thumbhash.len() > 20, "{format:?}: {}", look.thumbhash);
    }
}

#[test]
fn all_eight_orientations_come_out_upright() {
    for orientation in ORIENTATIONS {
        for (format, bytes) in telling(orientation) {
            let about = format!("{format:?}, {orientation:?}");
            assert!(has(&bytes, SECRET), "{about}: the sample has no secret");
            let look = seen(&bytes).unwrap();
            assert_eq!((look.width, look.height), (64, 32), "{about}");
            for wanted in [Wanted::Common, Wanted::WebP] {
                let small = made(&bytes, Fit::Inside(32), wanted);
                assert!(!has(&small, SECRET), "{about}: a secret in a rendition");
                let small = pixels(&small).into_rgb8();
                assert_eq!(small.dimensions(), (32, 16), "{about}");
                assert!(is_upright(&small), "{about}: {wanted:?}");
            }
            let shared = shared(&bytes);
            assert!(!has(&shared, SECRET), "{about}: a secret in the original");
            assert!(!has(&shared, b"Exif"), "{about}");
            assert_eq!(Format::of(&shared), Ok(format), "{about}");
            let whole = pixels(&shared).into_rgb8();
            assert_eq!(whole.dimensions(), (64, 32), "{about}");
            assert!(is_upright(&whole), "{about}");
        }
    }
}

#[test]
fn what_others_get_has_the_same_pixels() {
    for (format, bytes) in telling(Orientation::NoTransforms) {
        let shared = shared(&bytes);
        assert!(shared.len() < bytes.len(), "{format:?}");
        assert_eq!(pixels(&shared), pixels(&bytes), "{format:?}");
    }
}

#[test]
fn a_clean_file_is_shared_byte_for_byte() {
    let picture = samples::quarters(64, 32);
    let samples = [
        samples::jpeg(&picture),
        samples::png(picture.clone()),
        samples::webp(picture.clone()),
        samples::webp(samples::glass(20, 20)),
        samples::bmp(&picture),
        samples::cmyk(20, 10),
        samples::p3_red(),
        // What was cleaned is clean.
        shared(&samples::gif(20, 10, 3)),
        shared(&samples::jpeg_with(&picture, Orientation::NoTransforms)),
    ];
    for bytes in samples {
        let shared = shareable(&bytes, &LIMITS, &halt());
        assert_eq!(shared, Ok(Shareable::AsItIs), "{:?}", Format::of(&bytes));
    }
}

#[test]
fn a_page_behind_an_animation_is_left_out() {
    let bytes = samples::gif(20, 10, 3);
    assert!(has(&bytes, b"<script>") && has(&bytes, SECRET));
    let shared = shared(&bytes);
    assert!(!has(&shared, b"<script>") && !has(&shared, SECRET));
    assert!(has(&shared, b"NETSCAPE2.0"), "it repeats no more");
    let delays = |bytes: &[u8]| {
        let mut delays = Vec::new();
        let frames = animation::frames(bytes, Format::Gif, &LIMITS, &halt(), |frame| {
            delays.push((frame.delay().numer_denom_ms(), frame.into_buffer()));
            Ok(())
        });
        assert_eq!(frames, Ok(3));
        delays
    };
    assert_eq!(delays(&shared), delays(&bytes));
}

#[test]
fn an_animation_stays_one() {
    let bytes = samples::gif(100, 60, 4);
    let moving = made(&bytes, Fit::Inside(50), Wanted::WebP);
    let look = seen(&moving).unwrap();
    assert_eq!((look.format, look.frames), (Format::WebP, 4));
    assert_eq!((look.width, look.height), (50, 30));
    let mut delays = Vec::new();
    animation::frames(&moving, Format::WebP, &LIMITS, &halt(), |frame| {
        delays.push(frame.delay().numer_denom_ms().0);
        Ok(())
    })
    .unwrap();
    assert_eq!(delays, [70; 4]);
    let still = made(&bytes, Fit::Inside(50), Wanted::Common);
    assert_eq!(Format::of(&still).unwrap().mime(), "image/png");
}

#[test]
fn squares_come_from_the_middle() {
    let bytes = samples::png(samples::quarters(80, 40));
    let square = pixels(&made(&bytes, Fit::Square(20), Wanted::Common)).into_rgb8();
    assert_eq!(square.dimensions(), (20, 20));
    assert!(is_upright(&square));
}

#[test]
fn transparency_stays_or_becomes_white() {
    let bytes = samples::png(samples::glass(40, 40));
    for wanted in [Wanted::Common, Wanted::WebP] {
        let small = pixels(&made(&bytes, Fit::Inside(20), wanted)).into_rgba8();
        assert_eq!(small.get_pixel(2, 10).0[3], 0, "{wanted:?}");
        assert_eq!(small.get_pixel(18, 10).0[3], 255, "{wanted:?}");
    }
    let flat = encode::jpeg(&samples::glass(40, 40).into(), 90, None).unwrap();
    assert!(pixels(&flat).into_rgb8().get_pixel(4, 20).0 > [250, 250, 250]);
}

#[test]
fn rare_kinds_of_pixels_are_shown() {
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_fn(40, 20, |x, _| Luma([u16::try_from(x * 1600).unwrap()]));
    let deeper: ImageBuffer<Rgba<u16>, Vec<u16>> =
        ImageBuffer::from_pixel(40, 20, Rgba([60_000, 300, 300, 65_535]));
    for bytes in [
        samples::png(deep),
        samples::png(deeper),
        samples::cmyk(40, 20),
    ] {
        assert_eq!(
            seen(&bytes).map(|look| (look.width, look.height)),
            Ok((40, 20))
        );
        let small = pixels(&made(&bytes, Fit::Inside(20), Wanted::Common));
        assert_eq!((small.width(), small.height()), (20, 10));
    }
}

#[test]
fn colors_are_brought_to_srgb() {
    let bytes = samples::p3_red();
    let stored = pixels(&bytes).into_rgb8().get_pixel(9, 9).0;
    let shown = pixels(&made(&bytes, Fit::Inside(16), Wanted::Common));
    let [red, green, _] = shown.into_rgb8().get_pixel(9, 9).0;
    // The same color has more red and less green in a smaller space.
    assert!(
        red > stored[0] + 5 && green + 5 < stored[1],
        "{red} {green}"
    );
    // The original keeps its numbers and what explains them.
    assert!(has(&shared(&bytes), b"iCCP"));
}

#[test]
fn what_is_no_picture_is_refused() {
    let refused = [
        (&b""[..], 422, "picture_empty"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            415,
            "picture_unsupported",
        ),
        (
            b"<?xml version='1.0'?>\n<!-- -->\n<SVG/>",
            415,
            "picture_unsupported",
        ),
        (b"<html><img src=x>", 415, "picture_unsupported"),
        (b"\0\0\0\x20ftypavif", 415, "picture_unsupported"),
        (b"GIF89a<script>alert(1)</script>", 422, "picture_too_large"),
        (b"\xff\xd8\xff", 422, "picture_truncated"),
        (b"BM", 422, "picture_truncated"),
    ];
    for (bytes, status, code) in refused {
        let fault = seen(bytes).unwrap_err();
        let about = String::from_utf8_lossy(bytes);
        assert_eq!(
            (fault.status(), fault.code()),
            (status, code),
            "{about}: {fault}"
        );
    }
    assert!(seen(b"<svg/>").unwrap_err().to_string().contains("SVG"));
}

#[test]
fn half_of_a_picture_is_refused() {
    let picture = samples::quarters(64, 32);
    let samples = [
        samples::jpeg(&picture),
        samples::png(picture.clone()),
        samples::webp(picture.clone()),
        samples::bmp(&picture),
        samples::gif(64, 32, 5),
    ];
    for bytes in samples {
        let format = Format::of(&bytes);
        for end in [bytes.len() / 2, bytes.len() * 9 / 10, 30] {
            // The page behind the animation is not part of it.
            let end = if format == Ok(Format::Gif) {
                end.min(bytes.len() / 2)
            } else {
                end
            };
            assert!(seen(&bytes[..end]).is_err(), "{format:?} of {end} bytes");
        }
    }
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let too_large = |bytes: &[u8]| {
        let fault = seen(bytes).unwrap_err();
        assert!(matches!(fault, Fault::TooLarge { .. }), "{fault}");
    };
    // What they say they are is enough; nothing of it has to be there.
    let mut png = samples::png(samples::quarters(4, 4));
    png[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let crc = img_parts::png::PngChunk::new(*b"IHDR", png[16..29].to_vec().into());
    let header = crc.encoder().bytes();
    png[8..33].copy_from_slice(&header);
    too_large(&png);
    let mut gif = samples::gif(4, 4, 1);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    too_large(&gif);
    let mut bmp = samples::bmp(&samples::quarters(4, 4));
    bmp[18..26].copy_from_slice(&[0, 0x70, 0, 0, 0, 0x70, 0, 0]);
    too_large(&bmp);
    let mut jpeg = samples::jpeg(&samples::quarters(16, 16));
    let frame = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x7f; 4]);
    too_large(&jpeg);
    for (sample, at) in [
        (samples::webp(samples::quarters(16, 16)), 26),
        (samples::webp(samples::glass(16, 16)), 24),
    ] {
        let mut webp = sample;
        // In one of them two bytes a side, in the other three.
        let sides = match at {
            26 => &[0xff, 0x3f, 0xff, 0x3f][..],
            _ => &[0xfe, 0x3f, 0, 0xfe, 0x3f, 0],
        };
        webp[at..at + sides.len()].copy_from_slice(sides);
        too_large(&webp);
    }
    // Few bytes that become many pixels: one frame is small, all of them are not.
    too_large(&samples::gif(300, 300, 12));
    too_large(&samples::gif(1, 1, 51));
    // 1 MiB of nothing.
    too_large(&[samples::jpeg(&samples::quarters(8, 8)), vec![0; 1 << 20]].concat());
}

/// What a lossy picture says of itself, without its pixels.
fn lossy_head(width: u16, height: u16) -> Vec<u8> {
    let tag = [0x10, 0, 0, 0x9d, 0x01, 0x2a];
    let mut head = [&tag[..], &width.to_le_bytes(), &height.to_le_bytes()].concat();
    head.resize(40, 0);
    head
}

fn webp_of(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let chunk = |(kind, content): &([u8; 4], Vec<u8>)| {
        let length = u32::try_from(content.len()).unwrap();
        let mut chunk = [&kind[..], &length.to_le_bytes(), content].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    };
    let content: Vec<u8> = chunks.iter().flat_map(chunk).collect();
    chunk(&(*b"RIFF", [&b"WEBP"[..], &content].concat()))
}

#[test]
fn what_is_inside_is_not_larger_than_the_file_says() {
    let header = |moves: u8| {
        let mut header = vec![moves, 0, 0, 0];
        header.extend([7, 0, 0, 7, 0, 0]);
        (*b"VP8X", header)
    };
    let frame = |chunks: Vec<u8>| {
        let mut frame = vec![0; 16];
        frame[6] = 7;
        frame[9] = 7;
        frame.extend(chunks);
        (*b"ANMF", frame)
    };
    let start = (*b"ANIM", vec![0; 6]);
    let within = |kind: [u8; 4], content: Vec<u8>| webp_of(&[(kind, content)])[12..].to_vec();
    let [small, large] = [lossy_head(8, 8), lossy_head(9, 8)];
    let [of_small, of_large] = [&small, &large].map(|one| within(*b"VP8 ", one.clone()));
    let clear = within(*b"ALPH", vec![0; 5]);
    let two = [frame(of_small.clone()), frame(of_large.clone())];
    // Behind an odd length the decoder does not step over the byte that fills it up.
    let odd = [frame(of_small).1, vec![0]].concat();
    let length = u32::try_from(odd.len()).unwrap().to_le_bytes();
    let odd = [&b"ANMF"[..], &length, &odd].concat();
    let shifted = [odd, within(*b"ANMF", frame(of_large.clone()).1)].concat();
    let start_alone = webp_of(&[header(2), start.clone()]);
    for (what, bytes, fits) in [
        ("alone", webp_of(&[(*b"VP8 ", large.clone())]), true),
        ("as it says", webp_of(&[header(0), (*b"VP8 ", small)]), true),
        ("larger", webp_of(&[header(0), (*b"VP8 ", large)]), false),
        (
            "in a frame",
            webp_of(&[header(2), start.clone(), frame(of_large.clone())]),
            false,
        ),
        (
            "behind transparency",
            webp_of(&[header(2), start.clone(), frame([clear, of_large].concat())]),
            false,
        ),
        (
            "in the second frame",
            webp_of(&[&[header(2), start][..], &two].concat()),
            false,
        ),
        (
            "behind an odd frame",
            [start_alone, shifted].concat(),
            false,
        ),
    ] {
        let checked = webp::check_sizes(&bytes);
        assert_eq!(checked.is_ok(), fits, "{what}: {checked:?}");
        if !fits {
            assert_eq!(seen(&bytes).unwrap_err(), checked.unwrap_err(), "{what}");
        }
    }
}

#[test]
fn work_stops_when_it_should() {
    let bytes = samples::gif(64, 32, 5);
    let late = Halt::after(Duration::ZERO);
    assert_eq!(look(&bytes, &LIMITS, &late), Err(Fault::Slow));
    let recipe = recipe(Fit::Inside(9), Wanted::WebP);
    assert_eq!(render(&bytes, recipe, &LIMITS, &late), Err(Fault::Slow));
    // In the middle of a file, too: noise takes more than one look at the clock.
    let mut noise = 7_u32;
    let picture = RgbImage::from_fn(300, 300, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([noise, noise >> 8, noise >> 16].map(|n| u8::try_from(n >> 8 & 0xff).unwrap()))
    });
    for bytes in [samples::jpeg(&picture), samples::png(picture.clone())] {
        let format = Format::of(&bytes).unwrap();
        let mut watched = halt::Watched::new(&bytes, &late);
        let read = std::io::Read::read_to_end(&mut watched, &mut Vec::new());
        assert!(read.is_err(), "{format:?}: it was read to its end");
    }
}

#[test]
fn the_formats_agree_with_the_library() {
    for (format, library) in [
        (Format::Jpeg, ImageFormat::Jpeg),
        (Format::Png, ImageFormat::Png),
        (Format::Gif, ImageFormat::Gif),
        (Format::WebP, ImageFormat::WebP),
        (Format::Bmp, ImageFormat::Bmp),
    ] {
        assert_eq!(format.mime(), library.to_mime_type());
    }
}

/// Everything that is done to bytes of strangers.
fn handle(bytes: &[u8]) {
    let _ = look(bytes, &LIMITS, &halt());
    let _ = shareable(bytes, &LIMITS, &halt());
    let recipe = recipe(Fit::Inside(16), Wanted::WebP);
    let _ = render(bytes, recipe, &LIMITS, &halt());
}

fn any_sample() -> impl Strategy<Value = Vec<u8>> {
    (0..9_usize).prop_map(|which| {
        let picture = samples::quarters(24, 16);
        match which {
            0 => samples::jpeg(&picture),
            1 => samples::jpeg_with(&picture, Orientation::Rotate90),
            2 => samples::png_with(&picture, Orientation::Rotate180),
            3 => samples::webp_with(&picture, Orientation::Rotate270),
            4 => samples::webp(samples::glass(20, 20)),
            5 => samples::gif(20, 10, 3),
            6 => samples::bmp(&picture),
            7 => samples::p3_red(),
            _ => made(&samples::gif(20, 10, 3), Fit::Inside(10), Wanted::WebP),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(
        begin in prop::sample::select(vec![
            &b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM",
            b"RIFF\x40\0\0\0WEBPVP8X", b"RIFF\x40\0\0\0WEBPVP8L", b"RIFF\x40\0\0\0WEBPVP8 ",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        handle(&[begin, &rest].concat());
    }

    #[test]
    fn damaged_pictures_never_panic(
        mut bytes in any_sample(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        end in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        handle(&bytes);
    }
}
