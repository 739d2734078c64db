//! The embedded files of the playground.

use super::coding::Coding;
use flate2::read::GzDecoder;
use std::borrow::Cow;
use std::io::Read;

/// A file of the playground. Only its compressed contents are embedded.
#[derive(Debug)]
pub(super) struct Asset {
    /// The path in the folder of the playground, such as `views/list.js`.
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    /// The size of the file itself, in bytes.
    size: usize,
    /// The `ETag` of the file itself.
    etag: &'static str,
    gzip: Compressed,
}

/// The contents of a file in one coding, with an `ETag` of their own.
#[derive(Debug)]
struct Compressed {
    bytes: &'static [u8],
    etag: &'static str,
}

/// All files, in the order of their paths. The build script writes the list.
pub(super) static ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/playground/assets.rs"));

impl Asset {
    /// The `ETag` of the file in this coding, with its quotes.
    pub(super) fn etag(&self, coding: Coding) -> &'static str {
        match coding {
            Coding::Gzip => self.gzip.etag,
            Coding::Identity => self.etag,
        }
    }

    /// The size of the file in this coding, in bytes.
    pub(super) fn size(&self, coding: Coding) -> usize {
        match coding {
            Coding::Gzip => self.gzip.bytes.len(),
            Coding::Identity => self.size,
        }
    }

    /// The contents of the file in this coding.
    pub(super) fn contents(&self, coding: Coding) -> Cow<'static, [u8]> {
        match coding {
            Coding::Gzip => self.gzip.bytes.into(),
            Coding::Identity => self.decompressed().into(),
        }
    }

    #[expect(clippy::expect_used, reason = "a unit test decompresses each file")]
    fn decompressed(&self) -> Vec<u8> {
        let mut contents = Vec::with_capacity(self.size);
        let mut decoder = GzDecoder::new(self.gzip.bytes);
        let decoded = decoder.read_to_end(&mut contents);
        decoded.expect("the build script has compressed the file");
        contents
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The largest sum of all embedded bytes. It keeps what the playground adds to a program below 300 kB.
    const BUDGET: usize = 280_000;

    #[test]
    fn embedded_bytes_are_within_the_budget() {
        let sizes: Vec<_> = ASSETS
            .iter()
            .map(|asset| (asset.path, asset.size(Coding::Gzip)))
            .collect();
        let all: usize = sizes.iter().map(|(_, size)| size).sum();
        assert!(all <= BUDGET, "{all} bytes are embedded: {sizes:#?}");
    }

    #[test]
    fn each_file_decompresses_to_itself() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playground");
        for asset in ASSETS {
            let file = std::fs::read(folder.join(asset.path)).unwrap();
            assert!(asset.contents(Coding::Identity) == file, "{}", asset.path);
            assert_eq!(asset.size(Coding::Identity), file.len(), "{}", asset.path);
        }
    }
}
