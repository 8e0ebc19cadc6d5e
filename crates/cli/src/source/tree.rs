//! Access to the working tree by the file names of a report. The report may be hostile, so no name leads outside the
//! tree or into the `.git` folder, which may contain credentials.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use domain::digest::sha256_hex;
use finding::Excerpt;
use finding::limits::{SOURCE_LINE_BYTES_MAX, SOURCE_LINES_MAX, SOURCE_NEIGHBOURS, cut_to};

/// The largest file that is read, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 8 << 20;
/// Git's own folder, or the file that points to it.
const GIT: &str = ".git";

/// A folder of sources and its checkout.
pub(crate) struct Tree {
    root: PathBuf,
    top: Option<PathBuf>,
}

/// A file of text.
pub(crate) struct Text {
    pub(crate) sha256: String,
    text: String,
}

impl Tree {
    /// The tree at a folder.
    ///
    /// # Errors
    /// The folder does not exist.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let root = folder.canonicalize()?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
        }
        let top = root.ancestors().find(|above| above.join(GIT).exists()).map(Path::to_owned);
        Ok(Self { root, top })
    }

    /// True if it is inside a git checkout.
    pub(crate) fn is_checkout(&self) -> bool {
        self.top.is_some()
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The root of the checkout, or the folder if it is in none.
    pub(crate) fn checkout_root(&self) -> &Path {
        self.top.as_deref().unwrap_or(&self.root)
    }

    /// The file with this name in a report: in the folder, else in its checkout.
    pub(crate) fn find(&self, reported: &str) -> Option<PathBuf> {
        let name = name_of(reported);
        // Some tools begin every path with `/` and mean the folder they scanned.
        let relative = name.trim_start_matches('/');
        let roots = [Some(&self.root), self.top.as_ref()].into_iter().flatten();
        let absolute = Path::new(&name).is_absolute().then(|| PathBuf::from(&name));
        absolute.into_iter().chain(roots.map(|root| root.join(relative))).find_map(|path| self.inside(&path))
    }

    /// The file that a path resolves to, if it is in the tree.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let real = path.canonicalize().ok()?;
        let below = |root: &PathBuf| real.strip_prefix(root).ok().map(Path::to_owned);
        let rest = below(&self.root).or_else(|| self.top.as_ref().and_then(below))?;
        let of_git = |part: Component<'_>| part.as_os_str().eq_ignore_ascii_case(GIT);
        let hidden = rest.components().any(of_git);
        // Opening anything but a plain file may block forever.
        (!hidden && real.metadata().ok()?.is_file()).then_some(real)
    }

    /// Reads a file that [`find`](Self::find) found; `None` if it is too large or not text.
    pub(crate) fn read(&self, file: &Path) -> Option<Text> {
        let mut bytes = Vec::new();
        File::open(file).ok()?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
        if u64::try_from(bytes.len()).map_or(true, |length| FILE_BYTES_MAX < length) || bytes.contains(&0) {
            return None;
        }
        let sha256 = sha256_hex(&bytes);
        Some(Text { sha256, text: String::from_utf8(bytes).ok()? })
    }
}

/// A reported name as a path: a `file:` address decoded, and `/` between its parts.
fn name_of(reported: &str) -> String {
    let name = match reported.strip_prefix("file://") {
        Some(address) => {
            let path = address.find('/').and_then(|slash| address.get(slash..)).unwrap_or(address);
            percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
        }
        None => reported.to_owned(),
    };
    if name.contains('/') { name } else { name.replace('\\', "/") }
}

impl Text {
    /// The lines of the file.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.text.lines().collect()
    }
}

/// A finding's lines and one more on either side; `None` if they are blank or not in the file.
pub(crate) fn excerpt(lines: &[&str], line: u32, end_line: Option<u32>) -> Option<Excerpt> {
    let most = line.saturating_add(SOURCE_LINES_MAX - 1);
    let last = end_line.unwrap_or(line).max(line);
    // A cut excerpt has no line after it.
    let behind = if last <= most { last.saturating_add(SOURCE_NEIGHBOURS) } else { most };
    let first_line = line.saturating_sub(SOURCE_NEIGHBOURS).max(1);
    let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let end = at(behind).min(lines.len());
    let own = lines.get(at(line).checked_sub(1)?..at(last.min(most)).min(lines.len()))?;
    if own.iter().all(|line| line.trim().is_empty()) {
        return None;
    }
    let cut = |line: &&str| {
        let mut line = (*line).to_owned();
        cut_to(&mut line, SOURCE_LINE_BYTES_MAX);
        line
    };
    Some(Excerpt { first_line, lines: lines.get(at(first_line) - 1..end)?.iter().map(cut).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::limits::CUT_MARK;
    use std::fs;

    /// A checkout with a folder in it, and a secret beside it.
    fn checkout() -> (tempfile::TempDir, PathBuf) {
        let outside = tempfile::tempdir().unwrap();
        let top = outside.path().canonicalize().unwrap().join("web");
        fs::create_dir_all(top.join("src")).unwrap();
        fs::create_dir_all(top.join(".git/hooks")).unwrap();
        fs::write(outside.path().join("secret"), "hunter2").unwrap();
        fs::write(top.join(".git/config"), "password = hunter2").unwrap();
        fs::write(top.join("setup.py"), "top").unwrap();
        fs::write(top.join("src/a b.py"), "x = 1\n").unwrap();
        (outside, top)
    }

    fn found(tree: &Tree, reported: &str) -> Option<String> {
        tree.read(&tree.find(reported)?).map(|text| text.text)
    }

    #[test]
    fn a_file_is_found_by_every_form_of_its_name_in_the_folder_or_its_checkout() {
        let (_outside, top) = checkout();
        let tree = Tree::open(&top.join("src")).unwrap();
        assert!(tree.is_checkout());
        let absolute = top.join("src/a b.py").to_string_lossy().into_owned();
        for reported in
            ["a b.py", "./a b.py", "../src/a b.py", "src/a b.py", "/a b.py", "/src/a b.py", "src\\a b.py", &absolute]
        {
            assert_eq!(found(&tree, reported).as_deref(), Some("x = 1\n"), "{reported}");
        }
        let address = format!("file://{}", absolute.replace(' ', "%20"));
        assert_eq!(found(&tree, &address).as_deref(), Some("x = 1\n"));
        assert_eq!(found(&tree, "setup.py").as_deref(), Some("top"));
        for reported in ["", ".", "src", "b.py", "a b.py\0", "a b.py/x", &"x/".repeat(5000)] {
            assert_eq!(found(&tree, reported), None, "{reported:.20}");
        }
    }

    #[test]
    fn no_name_leads_outside_the_tree() {
        let (outside, top) = checkout();
        let tree = Tree::open(&top).unwrap();
        let secret = outside.path().canonicalize().unwrap().join("secret");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "hunter2");
        let absolute = secret.to_string_lossy().into_owned();
        let dotted = top.join("../secret").to_string_lossy().into_owned();
        let address = format!("file://{absolute}");
        for reported in
            ["../secret", "src/../../secret", "src/../../web/../secret", &absolute, &dotted, &address, "/etc/passwd"]
        {
            assert_eq!(tree.find(reported), None, "{reported}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_inside_the_tree_and_never_out_of_it() {
        use std::os::unix::fs::symlink;
        let (outside, top) = checkout();
        let tree = Tree::open(&top).unwrap();
        symlink(top.join("src/a b.py"), top.join("inside.py")).unwrap();
        symlink(outside.path().join("secret"), top.join("out.py")).unwrap();
        symlink(outside.path(), top.join("folder")).unwrap();
        symlink(top.join(".git/config"), top.join("config.py")).unwrap();
        symlink(top.join("loop.py"), top.join("loop.py")).unwrap();
        assert_eq!(found(&tree, "inside.py").as_deref(), Some("x = 1\n"));
        for reported in ["out.py", "folder/secret", "config.py", "loop.py"] {
            assert_eq!(tree.find(reported), None, "{reported}");
        }
    }

    #[test]
    fn gits_own_folder_is_not_read() {
        let (_outside, top) = checkout();
        let tree = Tree::open(&top).unwrap();
        fs::create_dir_all(top.join("module")).unwrap();
        fs::write(top.join("module/.git"), "gitdir: ../.git/modules/module").unwrap();
        for reported in [".git/config", "src/../.git/config", "./.git/hooks/../config", "module/.git"] {
            assert_eq!(tree.find(reported), None, "{reported}");
        }
        fs::write(top.join(".gitignore"), "target").unwrap();
        assert_eq!(found(&tree, ".gitignore").as_deref(), Some("target"));
    }

    #[test]
    fn a_text_file_up_to_the_limit_is_read_and_nothing_else() {
        let (_outside, top) = checkout();
        let tree = Tree::open(&top).unwrap();
        let limit = usize::try_from(FILE_BYTES_MAX).unwrap();
        for (name, bytes, taken) in [
            ("empty.py", Vec::new(), true),
            ("at-limit.py", vec![b'x'; limit], true),
            ("over.py", vec![b'x'; limit + 1], false),
            ("latin.py", b"# \xfcber".to_vec(), false),
            ("binary", b"a\0b".to_vec(), false),
        ] {
            fs::write(top.join(name), bytes).unwrap();
            assert_eq!(found(&tree, name).is_some(), taken, "{name}");
        }
        assert_eq!(tree.read(&tree.find("empty.py").unwrap()).unwrap().sha256, sha256_hex(b""));
    }

    #[cfg(unix)]
    #[test]
    fn only_plain_files_are_opened() {
        let (_outside, top) = checkout();
        let tree = Tree::open(&top).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(top.join("socket")).unwrap();
        assert_eq!(tree.find("socket"), None);
    }

    #[test]
    fn a_folder_outside_git_is_a_tree() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.py"), "x").unwrap();
        let tree = Tree::open(folder.path()).unwrap();
        assert_eq!(found(&tree, "a.py").as_deref(), Some("x"));
        assert!(Tree::open(&folder.path().join("none")).is_err() && Tree::open(&folder.path().join("a.py")).is_err());
    }

    fn cut(line: u32, end_line: Option<u32>) -> Option<(u32, Vec<String>)> {
        let text: Vec<String> = (1..=30).map(|n| if n == 5 { " ".to_owned() } else { format!("{n}") }).collect();
        let lines: Vec<&str> = text.iter().map(String::as_str).collect();
        excerpt(&lines, line, end_line).map(|code| (code.first_line, code.lines))
    }

    #[test]
    fn an_excerpt_is_the_findings_lines_and_one_more_on_either_side() {
        let lines = |range: std::ops::RangeInclusive<u32>| range.map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(cut(10, None), Some((9, lines(9..=11))));
        assert_eq!(cut(10, Some(12)), Some((9, lines(9..=13))));
        assert_eq!(cut(1, None), Some((1, lines(1..=2))));
        assert_eq!(cut(30, Some(99)), Some((29, lines(29..=30))));
        assert_eq!(cut(12, Some(3)), Some((11, lines(11..=13))), "an end before the start is ignored");
        assert_eq!(cut(10, Some(19)), Some((9, lines(9..=20))), "ten lines");
        assert_eq!(cut(10, Some(20)), Some((9, lines(9..=19))), "the first ten of eleven");
        assert_eq!(cut(10, Some(u32::MAX)), Some((9, lines(9..=19))));
    }

    #[test]
    fn missing_or_blank_lines_have_no_excerpt() {
        for line in [0, 5, 31, 32, u32::MAX] {
            assert_eq!(cut(line, None), None, "{line}");
        }
        assert_eq!(excerpt(&[], 1, None), None);
    }

    #[test]
    fn a_long_line_is_cut_and_marked() {
        let long = "é".repeat(SOURCE_LINE_BYTES_MAX);
        let code = excerpt(&[&long], 1, None).unwrap();
        assert!(code.lines[0].ends_with(CUT_MARK) && code.lines[0].len() <= SOURCE_LINE_BYTES_MAX + CUT_MARK.len());
    }
}
