//! Reads ZIP archives of reports.
//!
//! The compressed archive is in memory, so its size is limited. Entries are decompressed while they are read, never as
//! a whole. The decompressed size is checked before anything is decompressed. A requested entry is first read to its
//! end once, so that a damaged entry is an error at once and not in the middle of parsing.

use crate::reader::report::{Input, ParseError, Source};
use finding::limits::{COMPRESSION_RATIO_FLOOR_BYTES, COMPRESSION_RATIO_MAX, REPORT_BYTES_MAX};
use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use std::io::{self, Cursor, Read};
use zip::{CompressionMethod, ZipArchive};

/// Largest archive, in bytes.
const ARCHIVE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most entries of an archive.
const ENTRIES_MAX: usize = 20_000;
/// Endings of the names of nested archives.
const ARCHIVES: [&str; 7] = [".zip", ".fpr", ".7z", ".rar", ".tar", ".gz", ".tgz"];

/// An archive and the list of its entries.
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    start: usize,
    packed: usize,
    size: u64,
    crc: u32,
    deflated: bool,
}

/// An undamaged entry.
pub(crate) struct ArchiveEntry<'a> {
    bytes: &'a [u8],
    deflated: bool,
}

impl Archive {
    /// Opens an archive.
    ///
    /// # Errors
    /// It is not a ZIP archive, is damaged or encrypted, contains other archives, or is too large.
    pub(crate) fn open(input: Input<'_>) -> Result<Self, ParseError> {
        let bytes = input.whole(ARCHIVE_BYTES_MAX)?;
        // The records of the directory begin with this mark. Counted first, because `zip` keeps all records in memory.
        if bytes.windows(4).filter(|window| window == b"PK\x01\x02").count() > ENTRIES_MAX {
            return Err(malformed(format!("it has more than {ENTRIES_MAX} entries")));
        }
        let mut archive = ZipArchive::new(Cursor::new(bytes.as_slice())).map_err(malformed)?;
        let mut entries = Vec::new();
        for index in 0..archive.len() {
            let file = archive.by_index_raw(index).map_err(malformed)?;
            if !file.is_file() {
                continue;
            }
            let name = file.name().map_err(malformed)?.into_owned();
            entries.push(Entry {
                deflated: is_deflated(&name, file.encrypted(), file.compression())?,
                start: file.data_start().and_then(|start| usize::try_from(start).ok()).unwrap_or(usize::MAX),
                packed: usize::try_from(file.compressed_size()).unwrap_or(usize::MAX),
                size: file.size(),
                crc: file.crc32(),
                name,
            });
        }
        let archive = Self { bytes, entries };
        archive.check_size()?;
        Ok(archive)
    }

    /// The paths of the files in the archive.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The file with this name in any folder; upper and lower case are the same.
    ///
    /// # Errors
    /// It is damaged.
    pub(crate) fn by_file_name(&self, name: &str) -> Result<Option<ArchiveEntry<'_>>, ParseError> {
        let found = self
            .entries
            .iter()
            .find(|entry| entry.name.rsplit(['/', '\\']).next().is_some_and(|last| last.eq_ignore_ascii_case(name)));
        found.map(|entry| self.checked(entry)).transpose()
    }

    /// The file with exactly this path.
    ///
    /// # Errors
    /// It is damaged.
    pub(crate) fn by_path(&self, path: &str) -> Result<Option<ArchiveEntry<'_>>, ParseError> {
        self.entries.iter().find(|entry| entry.name == path).map(|entry| self.checked(entry)).transpose()
    }

    /// Checks that an entry is undamaged.
    fn checked(&self, entry: &Entry) -> Result<ArchiveEntry<'_>, ParseError> {
        let end = entry.start.checked_add(entry.packed);
        let bytes = end.and_then(|end| self.bytes.get(entry.start..end));
        let bytes = bytes.ok_or_else(|| malformed(format!("the data of its entry `{}` is missing", entry.name)))?;
        let checked = ArchiveEntry { bytes, deflated: entry.deflated };
        let (length, crc) = checked
            .measure(entry.size)
            .map_err(|error| malformed(format!("its entry `{}` is damaged: {error}", entry.name)))?;
        if (length, crc) == (entry.size, entry.crc) {
            Ok(checked)
        } else {
            Err(malformed(format!("its entry `{}` is damaged", entry.name)))
        }
    }

    /// Checks the decompressed size and the compression ratio against their limits.
    fn check_size(&self) -> Result<(), ParseError> {
        let total = self.entries.iter().fold(0_u64, |total, entry| total.saturating_add(entry.size));
        let packed = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        if total > REPORT_BYTES_MAX {
            return Err(malformed(format!("its content has {total} bytes; at most {REPORT_BYTES_MAX} are allowed")));
        }
        if total > COMPRESSION_RATIO_FLOOR_BYTES && total > packed.saturating_mul(COMPRESSION_RATIO_MAX) {
            return Err(malformed(format!(
                "its content is more than {COMPRESSION_RATIO_MAX} times as large as the archive"
            )));
        }
        Ok(())
    }
}

impl ArchiveEntry<'_> {
    /// The length and the checksum of the content. Reads at most one byte more than `size`.
    fn measure(&self, size: u64) -> io::Result<(u64, u32)> {
        let mut reader = CrcReader::new(self.open().take(size.saturating_add(1)));
        let length = io::copy(&mut reader, &mut io::sink())?;
        Ok((length, reader.crc().sum()))
    }
}

impl Source for ArchiveEntry<'_> {
    fn open(&self) -> Box<dyn Read + '_> {
        if self.deflated { Box::new(DeflateDecoder::new(self.bytes)) } else { Box::new(self.bytes) }
    }
}

/// True if an entry is compressed.
///
/// # Errors
/// It is encrypted, an archive itself, or compressed by another method than deflate.
fn is_deflated(name: &str, encrypted: bool, method: CompressionMethod) -> Result<bool, ParseError> {
    if encrypted {
        return Err(malformed(format!("its entry `{name}` is encrypted")));
    }
    if ARCHIVES.iter().any(|end| name.to_ascii_lowercase().ends_with(end)) {
        return Err(malformed(format!("it contains another archive, `{name}`: upload the reports in it one by one")));
    }
    if method == CompressionMethod::STORE || method == CompressionMethod::DEFLATE {
        return Ok(method == CompressionMethod::DEFLATE);
    }
    Err(malformed(format!("its entry `{name}` is compressed by {method}; expected deflate")))
}

fn malformed(reason: impl ToString) -> ParseError {
    ParseError::Malformed { notation: "ZIP", reason: reason.to_string() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::{Compression, Crc, write::DeflateEncoder};
    use std::io::Write as _;

    /// An archive of these files, deflated. It contains no times, so that it is always the same.
    pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut archive, mut directory) = (Vec::new(), Vec::new());
        for (name, bytes) in files {
            let mut crc = Crc::new();
            crc.update(bytes);
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
            packed.write_all(bytes).unwrap();
            let packed = packed.finish().unwrap();
            let at = u32::try_from(archive.len()).unwrap();
            let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
            for number in [crc.sum(), u32::try_from(packed.len()).unwrap(), u32::try_from(bytes.len()).unwrap()] {
                common.extend(number.to_le_bytes());
            }
            common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            common.extend([0, 0]);
            archive.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), &packed].concat());
            directory.extend([b"PK\x01\x02\x14\x00", common.as_slice(), &[0; 10], &at.to_le_bytes()].concat());
            directory.extend(name.as_bytes());
        }
        let (count, at) = (u16::try_from(files.len()).unwrap().to_le_bytes(), u32::try_from(archive.len()).unwrap());
        let length = u32::try_from(directory.len()).unwrap().to_le_bytes();
        archive.extend(directory);
        archive
            .extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &length, &at.to_le_bytes(), &[0, 0]].concat());
        archive
    }

    fn text(entry: &ArchiveEntry<'_>) -> String {
        std::io::read_to_string(entry.open()).unwrap()
    }

    fn refusal(bytes: &[u8]) -> String {
        let opened = Archive::open(Input::Memory(bytes));
        opened.and_then(|archive| archive.by_file_name("a").map(drop)).unwrap_err().to_string()
    }

    #[test]
    fn entries_are_found_by_their_name_in_any_folder() {
        let bytes = zip(&[("folder/a", b"one"), ("b", b"two")]);
        let archive = Archive::open(Input::Memory(&bytes)).unwrap();
        assert_eq!(archive.names().collect::<Vec<_>>(), ["folder/a", "b"]);
        assert_eq!(text(&archive.by_file_name("A").unwrap().unwrap()), "one");
        assert_eq!(text(&archive.by_path("b").unwrap().unwrap()), "two");
        assert!(archive.by_path("a").unwrap().is_none() && archive.by_file_name("c").unwrap().is_none());
    }

    #[test]
    fn damaged_archives_are_refused() {
        let bytes = zip(&[("a", b"some text that is long enough to be damaged")]);
        for at in 31..40 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            assert!(refusal(&damaged).contains("damaged"), "{at}: {}", refusal(&damaged));
        }
        assert!(refusal(&bytes[..bytes.len() - 30]).contains("not valid ZIP"));
    }

    #[test]
    fn archives_in_archives_and_encrypted_entries_are_refused() {
        assert!(refusal(&zip(&[("reports.ZIP", b"PK")])).contains("another archive"));
        let mut encrypted = zip(&[("a", b"one")]);
        let directory = encrypted.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        encrypted[6] |= 1;
        encrypted[directory + 8] |= 1;
        assert!(refusal(&encrypted).contains("encrypted"), "{}", refusal(&encrypted));
    }

    #[test]
    fn archives_with_too_much_content_are_refused_before_reading() {
        let bomb = zip(&[("a", &vec![0; 3 << 20])]);
        assert!(refusal(&bomb).contains("100 times"), "{}", refusal(&bomb));
        let many: Vec<String> = (0..=ENTRIES_MAX).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(refusal(&zip(&many)).contains("20000 entries"));
        assert!(Archive::open(Input::Memory(&zip(&many[1..]))).is_ok());
    }
}
