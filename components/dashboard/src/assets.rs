//! The static files: stylesheet, scripts, icon. The path of a file contains a hash of its content, so browsers cache it
//! forever.

use guest::Reply;

/// A static file.
pub(crate) struct Asset {
    /// The path: `/assets/<hash>/<name>`.
    pub(crate) path: &'static str,
    media_type: &'static str,
    raw: &'static [u8],
    compressed: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file at this path. `gzip`: the client accepts gzip. Files of other builds are not found.
pub(crate) fn find(path: &[&str], gzip: bool) -> Option<Reply> {
    let path = format!("/{}", path.join("/"));
    let asset = ALL.into_iter().find(|asset| asset.path == path)?;
    let mut headers = vec![
        ("cache-control", "public, max-age=31536000, immutable".to_owned()),
        ("vary", "accept-encoding".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
    ];
    if gzip {
        headers.push(("content-encoding", "gzip".to_owned()));
    }
    let body = if gzip { asset.compressed } else { asset.raw };
    Some(Reply { status: 200, media_type: asset.media_type.to_owned(), headers, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn every_asset_is_found_only_by_its_path_and_unpacks_unchanged() {
        for asset in ALL {
            let path: Vec<&str> = asset.path.split('/').skip(1).collect();
            assert_eq!(find(&path, false).unwrap().body, asset.raw, "{}", asset.path);
            let compressed = find(&path, true).unwrap();
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(compressed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, asset.raw);
            assert!(compressed.headers.contains(&("content-encoding", "gzip".to_owned())));
        }
        assert!(find(&["assets", "000000000000", "style.css"], false).is_none(), "another build's");
        assert!(find(&["assets", "..", "Cargo.toml"], false).is_none());
    }
}
