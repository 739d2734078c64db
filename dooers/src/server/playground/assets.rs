//! The embedded files of the playground.

use super::coding::Coding;
use std::borrow::Cow;

/// A file of the playground. Only its compressed contents are embedded.
#[derive(Debug)]
pub(super) struct Asset {
    /// The path in the folder of the playground, such as `views/list.js`.
    pub(super) path: &'static str,
    pub(super) content_type: ContentType,
    /// The place of the contents in [`BODIES`], as gzip.
    body: (u32, u32),
    /// The first bytes of the digest of the contents, as gzip.
    digest: u64,
}

/// The content types of the files.
#[derive(Debug, Clone, Copy)]
pub(super) enum ContentType {
    Css,
    Html,
    Js,
    #[expect(dead_code, reason = "the playground has no such file at present")]
    Png,
    Svg,
    Txt,
}

/// The contents of all files, one after the other.
static BODIES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/playground/assets.bin"));

/// All files, in the order of their paths. The build script writes the list.
pub(super) static ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/playground/assets.rs"));

/// The size of the header of gzip, as the build script writes it.
const HEADER: usize = 10;

/// The size of the end of gzip: a checksum, and the size of the contents. Both have 4 bytes.
const TRAILER: usize = 8;

impl ContentType {
    /// The value of `Content-Type`.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Css => "text/css; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Js => "text/javascript; charset=utf-8",
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::Txt => "text/plain; charset=utf-8",
        }
    }
}

impl Asset {
    /// The strong `ETag` of the file in this coding, with its quotes. It differs between two files, and between two codings of
    /// one file.
    pub(super) fn etag(&self, coding: Coding) -> String {
        match coding {
            Coding::Gzip => format!("\"{:016x}\"", self.digest),
            Coding::Identity => format!("\"{:016x}-identity\"", self.digest),
        }
    }

    /// The size of the file in this coding, in bytes.
    pub(super) fn size(&self, coding: Coding) -> usize {
        let gzip = self.gzip();
        match (coding, gzip.last_chunk()) {
            (Coding::Identity, Some(size)) => u32::from_le_bytes(*size) as usize,
            _ => gzip.len(),
        }
    }

    /// The contents of the file in this coding.
    pub(super) fn contents(&self, coding: Coding) -> Cow<'static, [u8]> {
        match coding {
            Coding::Gzip => self.gzip().into(),
            Coding::Identity => self.decompressed().into(),
        }
    }

    fn gzip(&self) -> &'static [u8] {
        let (start, end) = self.body;
        &BODIES[start as usize..end as usize]
    }

    /// Decompresses the contents without a check of the checksum, whose tables would be larger than the rest of the code.
    #[expect(clippy::expect_used, reason = "a unit test decompresses each file")]
    fn decompressed(&self) -> Vec<u8> {
        let gzip = self.gzip();
        let contents = miniz_oxide::inflate::decompress_to_vec(&gzip[HEADER..gzip.len() - TRAILER]);
        contents.expect("the build script has compressed the file")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The largest sum of all embedded bytes. The playground may add 300 kB to a stripped release build, of which the code, the
    /// routes and the list of files are 60 kB.
    const BUDGET: usize = 235_000;

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
