//! A photo of 12 megapixels made smaller: ours and libvips' `vipsthumbnail`, by turns.
//!
//! Both read a file and write one. Ours runs in this process, and again in a worker as the server
//! has it do its work; libvips' in a process of its own each time, as it is used from scripts. What
//! starting that costs is measured, too, and told.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use common::blob::BlobFile;
use common::config::PicturesConfig;
use common::pool::BlockingPool;
use image_server::picture::{Fit, Halt, Limits, Motion, Recipe, Wanted, render};
use image_server::{PicturePool, Program};

use crate::table::{Cell, Table};

/// Twelve megapixels, as most phones take them.
const WIDTH: u32 = 4000;
const HEIGHT: u32 = 3000;
/// The longer side of what comes out.
const SIDE: u32 = 1280;
/// No picture takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(server: &Path, rounds: u32) -> anyhow::Result<Vec<Table>> {
    let folder = tempfile::tempdir()?;
    let photo = folder.path().join("photo.jpg");
    make_photo(folder.path(), &photo)?;
    let pool = PicturePool::open(&PicturesConfig::default(), &Program::at(server))?;
    let mut table = Table::begin(
        "renditions",
        &[
            ("what", &format!("12 MP JPEG to {SIDE}")),
            ("ours_per_s", "ours, a second"),
            ("in_a_worker_per_s", "in a worker"),
            ("libvips_per_s", "libvips, a second"),
            ("ratio", "ratio of the worker to libvips"),
        ],
    );
    for (wanted, ending) in [(Wanted::Common, "jpg"), (Wanted::WebP, "webp")] {
        let to = folder.path().join(format!("small.{ending}"));
        let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
        let mut confined = Duration::ZERO;
        for _ in 0..rounds {
            ours += timed(|| our_thumbnail(&photo, &to, wanted))?;
            let begin = Instant::now();
            confined_thumbnail(&pool, &photo, &to, wanted).await?;
            confined += begin.elapsed();
            theirs += timed(|| vips("vipsthumbnail", &photo, &to))?;
        }
        let each_second = |took: Duration| f64::from(rounds) / took.as_secs_f64();
        table.row([
            Cell::text(ending),
            Cell::figure(each_second(ours), 1),
            Cell::figure(each_second(confined), 1),
            Cell::figure(each_second(theirs), 1),
            Cell::figure(theirs.as_secs_f64() / confined.as_secs_f64(), 2),
        ]);
    }
    let start = timed(|| finish(Command::new("vipsthumbnail").arg("--version")))?;
    println!(
        "\nStarting libvips, which is in its figures, takes {} ms.",
        start.as_millis()
    );
    Ok(vec![table])
}

fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed())
}

fn recipe(wanted: Wanted) -> Recipe {
    Recipe {
        fit: Fit::Inside(SIDE),
        motion: Motion::Still,
        wanted,
    }
}

fn our_thumbnail(from: &Path, to: &Path, wanted: Wanted) -> anyhow::Result<()> {
    let photo = std::fs::read(from)?;
    let halt = Halt::after(PATIENCE);
    let made = render(&photo, recipe(wanted), &Limits::default(), &halt)?;
    Ok(std::fs::write(to, made)?)
}

/// The same, as the server does it.
async fn confined_thumbnail(
    pool: &PicturePool,
    from: &Path,
    to: &Path,
    wanted: Wanted,
) -> anyhow::Result<()> {
    let photo = Arc::new(std::fs::File::open(from)?);
    let length = photo.metadata()?.len();
    let photo = BlobFile::on_disk(photo, length, BlockingPool::new(1));
    let made = pool.render(&photo, recipe(wanted)).await?;
    Ok(std::fs::write(to, made)?)
}

fn vips(program: &str, from: &Path, to: &Path) -> anyhow::Result<()> {
    let size = format!("{SIDE}x{SIDE}");
    finish(
        Command::new(program)
            .arg(from)
            .args(["--size", &size, "-o"])
            .arg(to),
    )
}

fn finish(command: &mut Command) -> anyhow::Result<()> {
    let done = command
        .output()
        .context("libvips is missing: apt-get install libvips-tools")?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{command:?}: {said}");
    Ok(())
}

/// Smooth shapes with the noise of a small sensor, through libvips' own encoder.
fn make_photo(folder: &Path, photo: &Path) -> anyhow::Result<()> {
    let mut noise = 1_u32;
    let mut raw = format!("P6\n{WIDTH} {HEIGHT}\n255\n").into_bytes();
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let bright = 60 + wave(x, 130) + wave(y, 170) / 2 + wave(x * y / 4000, 90) / 2;
            let bright = bright + noise % 16;
            raw.extend([bright, bright + x / 100, bright + y / 100].map(byte));
        }
    }
    let flat = folder.join("photo.ppm");
    std::fs::write(&flat, raw)?;
    finish(
        Command::new("vips")
            .args(["jpegsave", "--Q=88"])
            .arg(&flat)
            .arg(photo),
    )
}

/// Up and down between 0 and 60.
fn wave(at: u32, length: u32) -> u32 {
    let half = length / 2;
    (at % length).abs_diff(half) * 60 / half
}

fn byte(bright: u32) -> u8 {
    u8::try_from(bright).unwrap_or(u8::MAX)
}
