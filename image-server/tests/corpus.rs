//! Every picture that the tests of Pillow are made with, good and bad, from many programs: each is
//! shown or clearly refused, in bounded time, by a process that may do nothing but decode.
//!
//! scripts/install-foreign brings them to `target/foreign/pictures`; without them this test fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::blob::BlobFile;
use common::config::{ByteSize, PicturesConfig};
use common::pool::BlockingPool;
use image_server::picture::{
    Fault, Fit, Format, Halt, Limits, Motion, Recipe, Shareable, Wanted, look,
};
use image_server::{PicturePool, Program, Trouble};

/// No picture of the corpus may take longer, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// The largest real one has 25 million pixels; the bombs have more.
const LIMITS: Limits = Limits {
    bytes_max: 16 << 20,
    pixels_max: 30_000_000,
    frames_max: 200,
};

fn corpus() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let folder = root
        .expect("it stands in the root")
        .join("target/foreign/pictures");
    let mut folders = vec![folder.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a readable folder").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    assert!(
        files.len() > 500,
        "{} is missing: run scripts/test or scripts/install-foreign",
        folder.display()
    );
    files.sort();
    files
}

/// A worker with these limits.
fn pool() -> PicturePool {
    let config = PicturesConfig {
        picture_bytes_max: ByteSize(LIMITS.bytes_max),
        picture_pixels_max: LIMITS.pixels_max,
        picture_frames_max: LIMITS.frames_max,
        render_timeout_s: PATIENCE.as_secs(),
        ..PicturesConfig::default()
    };
    let program = Program::at(env!("CARGO_BIN_EXE_myimgserver"));
    PicturePool::open(&config, &program).expect("a thread")
}

/// What was wrong with a picture. That its worker ended is wrong with us.
fn fault(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Fault(Fault::Broken(said)) if said.contains("the server") => {
            panic!("its worker failed: {said}")
        }
        Trouble::Fault(fault) => fault,
        other => panic!("its worker ended: {other}"),
    }
}

/// Everything that is done to a picture; how it ended.
async fn handle(pool: &PicturePool, path: &Path) -> Result<Format, Fault> {
    let file = Arc::new(fs::File::open(path).expect("a readable file"));
    let length = file.metadata().expect("a length").len();
    let file = BlobFile::on_disk(file, length, BlockingPool::new(1));
    let halt = Halt::after(PATIENCE);
    let looked = pool.look(&file).await.map_err(fault)?;
    for wanted in [Wanted::WebP, Wanted::Common] {
        let recipe = Recipe {
            fit: Fit::Inside(320),
            motion: Motion::Moving,
            wanted,
        };
        let made = pool.render(&file, recipe).await.map_err(fault)?;
        let small = look(&made, &LIMITS, &halt).expect("a rendition is a picture");
        let side = looked.width.max(looked.height).min(320);
        assert_eq!(
            small.width.max(small.height),
            side,
            "not the size that was asked for"
        );
    }
    if let Shareable::Cleaned(clean) = pool.share(&file).await.map_err(fault)? {
        let clean = look(&clean, &LIMITS, &halt).expect("what others get is a picture");
        let size = (looked.format, looked.width, looked.height);
        assert_eq!((clean.format, clean.width, clean.height), size);
    }
    Ok(looked.format)
}

#[tokio::test]
async fn every_picture_is_shown_or_refused() {
    let pool = pool();
    let mut ended: BTreeMap<String, u32> = BTreeMap::new();
    for path in corpus() {
        let begin = Instant::now();
        let name = path.display();
        println!("{name}");
        let end = handle(&pool, &path).await;
        assert!(begin.elapsed() < PATIENCE, "{name} took too long");
        let said = match &end {
            Ok(format) => format!("{format:?}"),
            Err(fault) => fault.code().to_owned(),
        };
        println!("  {said} {:?} {:?}", end.err(), begin.elapsed());
        *ended.entry(said).or_default() += 1;
    }
    println!("{ended:#?}");
    let count = |what: &str| ended.get(what).copied().unwrap_or(0);
    // Most of what is in our formats is fine, and what is not is told apart.
    for (format, at_least) in [
        ("Jpeg", 35),
        ("Png", 380),
        ("Gif", 30),
        ("WebP", 10),
        ("Bmp", 40),
    ] {
        assert!(count(format) >= at_least, "{format}: {ended:#?}");
    }
    assert!(count("picture_unsupported") > 200, "{ended:#?}");
    assert!(
        count("picture_broken") > 0 && count("picture_truncated") > 0,
        "{ended:#?}"
    );
}
