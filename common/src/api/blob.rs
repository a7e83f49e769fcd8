//! Files and pictures.

/// Old clients keep files and pictures in two separate name spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlobClass {
    File,
    Image,
}
