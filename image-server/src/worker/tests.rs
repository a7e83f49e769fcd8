//! What a worker says on its pipes, without a process.

use std::io::Cursor;
use std::time::Duration;

use image::{DynamicImage, ImageFormat, RgbImage};

use super::*;
use crate::picture::{Fault, Fit, Format, Limits, Look, Motion, Recipe, Wanted};

const ORDERS: Orders = Orders {
    limits: Limits {
        bytes_max: 1 << 20,
        pixels_max: 10_000,
        frames_max: 10,
    },
    time: Duration::from_secs(60),
    pictures: 1,
    only_confined: false,
};

const THUMB: Task = Task::Render(Recipe {
    fit: Fit::Inside(8),
    motion: Motion::Still,
    wanted: Wanted::Common,
});

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(width, height))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn request(task: Task, picture: &[u8]) -> Vec<u8> {
    let bytes = u64::try_from(picture.len()).unwrap();
    let header = framed(&Request { task, bytes }).unwrap();
    [&header, picture].concat()
}

/// Everything that is answered to this input.
fn answered(input: &[u8]) -> (io::Result<()>, Vec<u8>) {
    let mut output = Vec::new();
    let ended = attend(&mut &*input, &mut output, &ORDERS, work::carry_out);
    (ended, output)
}

#[test]
fn one_picture_after_the_other_is_answered() {
    let input = [
        request(Task::Look, &png(40, 20)),
        request(THUMB, &png(40, 20)),
        request(Task::Share, &png(40, 20)),
        request(Task::Look, b"<svg>"),
        request(Task::Look, b""),
    ]
    .concat();
    let (ended, output) = answered(&input);
    ended.unwrap();
    let mut output = &*output;
    let mut next = || message::read::<Reply>(&mut output).unwrap();
    let Some(Reply::Looked(look)) = next() else {
        panic!("it was not looked at");
    };
    assert_eq!(
        (look.format, look.width, look.height),
        (Format::Png, 40, 20)
    );
    let Some(Reply::Made(bytes)) = next() else {
        panic!("nothing was made");
    };
    let mut made = vec![0; usize::try_from(bytes).unwrap()];
    output.read_exact(&mut made).unwrap();
    assert_eq!(Format::of(&made), Ok(Format::Jpeg));
    let mut next = || message::read::<Reply>(&mut output).unwrap();
    assert_eq!(next(), Some(Reply::AsItIs));
    assert!(matches!(
        next(),
        Some(Reply::Refused(Fault::Unsupported(_)))
    ));
    assert_eq!(next(), Some(Reply::Refused(Fault::Empty)));
    assert_eq!(next(), None);
}

#[test]
fn half_a_request_ends_it() {
    let whole = request(Task::Look, &png(40, 20));
    for length in [1, 4, 30, whole.len() - 1] {
        let (ended, output) = answered(&whole[..length]);
        // What ended before a header is only the end.
        assert_eq!(ended.is_ok(), length < 4, "{length}");
        assert!(output.is_empty());
    }
    let (ended, _) = answered(&[0xff; 100]);
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_decoder_that_panics_is_an_answer() {
    let mut output = Vec::new();
    let input = request(Task::Look, b"x");
    let work = |_: Task, _: &[u8], _: &Orders| Reply::Failed.into();
    attend(&mut &*input, &mut output, &ORDERS, work).unwrap();
    let said = message::read(&mut &*output).unwrap();
    assert_eq!(said, Some(Reply::Failed));
}

#[test]
fn orders_are_read_as_they_are_given() {
    let argument = ORDERS.argument().unwrap();
    assert_eq!(Orders::read(argument.as_ref()), Ok(ORDERS));
    assert!(Orders::read("{}".as_ref()).is_err());
    let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    // Nothing else makes a worker of a program.
    for other in [&["myim"][..], &["myim", "serve"], &["myim", "serve", "x"]] {
        assert!(run_if_asked(&args(other)).is_none());
    }
    assert!(run_if_asked(&args(&["myim", SUBCOMMAND])).is_none());
}

fn look() -> Look {
    Look {
        format: Format::Png,
        width: 100,
        height: 100,
        thumbhash: "3OcRJYB4d3h".to_owned(),
        frames: 0,
    }
}

#[test]
fn what_does_not_fit_the_question_is_no_answer() {
    let to = |reply: Reply, task: Task| reply.to(task, &ORDERS.limits);
    let changed = |change: fn(&mut Look)| {
        let mut look = look();
        change(&mut look);
        Reply::Looked(look)
    };
    for (reply, task) in [
        (Reply::Made(10), Task::Look),
        (Reply::AsItIs, Task::Look),
        (Reply::AsItIs, THUMB),
        (Reply::Looked(look()), THUMB),
        (Reply::Looked(look()), Task::Share),
        // More than anything can be.
        (Reply::Made(u64::MAX), THUMB),
        (changed(|look| look.width = 101), Task::Look),
        (changed(|look| look.height = 0), Task::Look),
        (changed(|look| look.frames = 11), Task::Look),
        (
            changed(|look| look.thumbhash = "a b".to_owned()),
            Task::Look,
        ),
        (changed(|look| look.thumbhash = "a".repeat(65)), Task::Look),
    ] {
        assert_eq!(to(reply.clone(), task), None, "{reply:?} to {task:?}");
    }
    for (reply, task) in [
        (Reply::Looked(look()), Task::Look),
        (Reply::Made(10), THUMB),
        (Reply::Made(10), Task::Share),
        (Reply::AsItIs, Task::Share),
        (Reply::Failed, Task::Look),
        (Reply::Refused(Fault::Slow), THUMB),
    ] {
        assert_eq!(to(reply.clone(), task), Some(reply));
    }
    // Whoever reads it is shown one line, and not a long one.
    let said = Fault::Broken(format!("a\nb{}", "c".repeat(1000)));
    let Some(Reply::Refused(Fault::Broken(said))) = to(Reply::Refused(said), THUMB) else {
        panic!("it was not passed on");
    };
    assert!(said.starts_with("abc") && said.len() == 200, "{said}");
    // A page is no picture, and a picture not any picture.
    assert!(!Task::Share.fits(b"<html>") && Task::Share.fits(&png(1, 1)));
    assert!(THUMB.fits(&png(1, 1)) && !THUMB.fits(b"GIF89a") && !THUMB.fits(b""));
}
