//! Looks into pictures that are uploaded, and hides what their files tell when others get them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::BytesMut;
use common::blob::BlobFile;
use common::store::file::{About, Picture};
use common::transfer::http::Readable;
use common::transfer::http::problem::Problem;
use common::transfer::inspect::{Inspect, Inspected, Rejected};

use crate::picture::Format;
use crate::renditions::{Making, Renditions, tag};
use crate::trouble::Trouble;

/// Takes pictures and nothing else.
#[derive(Debug)]
pub(crate) struct Pictures {
    renditions: Arc<Renditions>,
}

impl Pictures {
    pub(crate) fn new(renditions: Arc<Renditions>) -> Self {
        Self { renditions }
    }
}

#[async_trait]
impl Inspect for Pictures {
    async fn inspect(&self, file: &BlobFile, _size: u64) -> Result<Inspected, Rejected> {
        let looked = self.renditions.pool().look(file).await?;
        Ok(Inspected {
            mime: looked.format.mime().to_owned(),
            picture: Some(Picture {
                width: looked.width,
                height: looked.height,
                thumbhash: Some(looked.thumbhash),
            }),
        })
    }

    async fn present(&self, stored: Readable) -> Result<Readable, Problem> {
        let Readable {
            about,
            file,
            is_public,
        } = stored;
        let clean = self
            .renditions
            .make(about.blob, &file, Making::Clean)
            .await?;
        let (blob, file) = if clean.is_empty() {
            (about.blob, file)
        } else {
            (tag(about.blob, Making::Clean), clean)
        };
        let mime = Some(mime_of(&file).await?.to_owned());
        Ok(Readable {
            about: About {
                blob,
                size: file.len(),
                mime,
                ..about
            },
            file,
            is_public,
        })
    }
}

/// Formats are told apart by so many bytes.
const FORMAT_BYTES: u64 = 16;

/// The media type of a picture. What old clients uploaded was never looked into, and of what was
/// made nobody wrote it down.
pub(crate) async fn mime_of(file: &BlobFile) -> Result<&'static str, Trouble> {
    let count = usize::try_from(file.len().min(FORMAT_BYTES)).unwrap_or(0);
    let begin = file.read(0, count, BytesMut::new()).await;
    let begin = begin.map_err(|error| {
        tracing::error!(%error, "a picture cannot be read");
        Trouble::System
    })?;
    Ok(Format::of(&begin)?.mime())
}
