//! Many who ask for the same, some who go away, and too many.

use std::fs;
use std::sync::Arc;

use common::config::PicturesConfig;
use common::pool::BlockingPool;
use image::{DynamicImage, ImageFormat, RgbImage};

use super::*;
use crate::picture::Fault;
use crate::workers::Program;

struct Stage {
    renditions: Renditions,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new(change: impl FnOnce(&mut PicturesConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = PicturesConfig::default();
        change(&mut config);
        let cache = RenditionCache::open(folder.path(), u64::MAX).unwrap();
        let renditions = Renditions::new(
            cache,
            PicturePool::open(&config, &Program::built()).unwrap(),
        );
        Self { renditions, folder }
    }

    fn file(&self, bytes: &[u8]) -> BlobFile {
        let path = self.folder.path().join("picture");
        fs::write(&path, bytes).unwrap();
        let file = Arc::new(fs::File::open(&path).unwrap());
        let length = u64::try_from(bytes.len()).unwrap();
        BlobFile::on_disk(file, length, BlockingPool::new(2))
    }

    /// What was made, with the times at which it was written.
    fn made(&self) -> Vec<String> {
        let folder = self.folder.path().join("renditions/1");
        let mut names = Vec::new();
        for folder in fs::read_dir(folder).unwrap() {
            for entry in fs::read_dir(folder.unwrap().path()).unwrap() {
                names.push(entry.unwrap().file_name().into_string().unwrap());
            }
        }
        names
    }
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(width, height))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

const BLOB: BlobId = BlobId([7; 32]);

fn thumb() -> Making {
    Making::Rendition(Recipe {
        fit: Fit::Inside(32),
        motion: Motion::Still,
        wanted: Wanted::WebP,
    })
}

#[tokio::test]
async fn many_who_ask_wait_for_the_same_work() {
    // With one worker and its places: 50 would not fit if each had work of its own.
    let stage = Stage::new(|config| config.render_workers = 1);
    let file = stage.file(&png(600, 400));
    let asked = (0..50).map(|_| stage.renditions.make(BLOB, &file, thumb()));
    let answers = futures_util::future::join_all(asked).await;
    for answer in answers {
        assert!(answer.unwrap().len() > 20);
    }
    assert_eq!(stage.made(), [format!("{BLOB}.inside32.webp")]);
}

#[tokio::test]
async fn work_ends_when_the_last_one_goes() {
    let stage = Stage::new(|config| config.render_workers = 1);
    let file = stage.file(&png(600, 400));
    let renditions = &stage.renditions;
    let under_way = || {
        let under_way = renditions.under_way.lock().unwrap();
        under_way.values().filter_map(WeakShared::upgrade).count()
    };
    // Nothing can be done yet: the only worker is taken.
    let taken = renditions.pool.take_all().await;
    let both = async {
        let first = renditions.make(BLOB, &file, thumb());
        let second = renditions.make(BLOB, &file, thumb());
        tokio::join!(first, second)
    };
    let asked = async {
        while under_way() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(under_way(), 1);
    };
    tokio::select! {
        made = both => panic!("made without a worker: {made:?}"),
        () = asked => {}
    }
    assert_eq!(under_way(), 0, "work that nobody waits for is still there");
    drop(taken);
    // Whoever comes next begins anew.
    assert!(renditions.make(BLOB, &file, thumb()).await.is_ok());
}

#[tokio::test]
async fn too_many_are_sent_away() {
    let stage = Stage::new(|config| config.render_workers = 1);
    let file = stage.file(&png(60, 40));
    let taken = stage.renditions.pool.take_places().await;
    let refused = stage.renditions.make(BLOB, &file, thumb()).await;
    assert_eq!(refused.unwrap_err(), Trouble::Busy);
    let problem = common::transfer::http::problem::Problem::from(Trouble::Busy);
    assert_eq!(
        (problem.status.as_u16(), problem.retry_after),
        (503, Some(2))
    );
    drop(taken);
    assert!(stage.renditions.make(BLOB, &file, thumb()).await.is_ok());
}

#[tokio::test]
async fn what_is_no_picture_is_told_and_not_kept() {
    let stage = Stage::new(|config| config.picture_pixels_max = 1000);
    let large = stage.file(&png(100, 100));
    let refused = stage.renditions.make(BLOB, &large, thumb()).await;
    assert!(matches!(
        refused,
        Err(Trouble::Fault(Fault::TooLarge { .. }))
    ));
    let none = stage.file(b"<svg/>");
    let refused = stage.renditions.make(BLOB, &none, Making::Clean).await;
    assert!(matches!(
        refused,
        Err(Trouble::Fault(Fault::Unsupported(_)))
    ));
    assert!(stage.made().is_empty());
}
