//! The exact text of code, as a reviewer judged it. Unlike the text by which code is matched, it keeps what white space
//! means: inside strings, between words, and as indentation where the language gives it a meaning. What a formatter
//! changes without a meaning is left out.

/// The rules for white space in a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rules {
    /// White space beside punctuation means nothing outside of strings.
    is_free: bool,
    /// The indentation of a line means something.
    is_indented: bool,
    /// The two characters `'` and `"` enclose the same strings.
    is_requoted: bool,
    comments: Comments,
}

/// The marks of comments. Quotes in a comment begin no string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comments {
    /// `#` to the end of the line.
    Hash,
    /// `//` to the end of the line, and `/*` to `*/`.
    Slashes,
    /// Not known: all text is read alike.
    Unknown,
}

/// Files whose language has free white space and strings that end with their line: C and its relatives.
const FREE: [&str; 26] = [
    "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "cs", "java", "kt", "kts", "scala", "go", "rs", "swift", "dart", "m",
    "mm", "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts",
];
/// The extensions above in which the two quotes mean the same.
const SCRIPT: [&str; 8] = ["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts"];
/// Files of Python and its relatives.
const PYTHON: [&str; 6] = ["py", "pyi", "pyw", "pyx", "bzl", "star"];
/// Files in which all white space but indentation may mean something.
const WORDS: [&str; 16] =
    ["sh", "bash", "zsh", "ksh", "php", "rb", "pl", "pm", "sql", "ps1", "tf", "tfvars", "json", "xml", "html", "css"];

impl Rules {
    /// The rules for a file. Of a language that is not known, all white space may mean something.
    fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
        let is = |list: &[&str]| list.contains(&extension.as_str());
        let strict = Self { is_free: false, is_indented: true, is_requoted: false, comments: Comments::Unknown };
        if is(&PYTHON) {
            Self { is_free: true, is_indented: true, is_requoted: true, comments: Comments::Hash }
        } else if is(&FREE) {
            Self { is_free: true, is_indented: false, is_requoted: is(&SCRIPT), comments: Comments::Slashes }
        } else {
            Self { is_indented: !is(&WORDS), ..strict }
        }
    }
}

/// Returns the exact text of some lines of a file.
pub(super) fn exact_text<'l>(path: &str, lines: impl IntoIterator<Item = &'l str>) -> String {
    let code = lines.into_iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    let mut reader = Reader { rules: Rules::of(path), rest: &code, text: String::new(), brackets: Vec::new() };
    reader.read();
    reader.text
}

/// An open bracket.
#[derive(Debug, Default)]
struct Bracket {
    /// The number of commas in it so far.
    commas: usize,
}

/// Reads code, and writes its exact text.
struct Reader<'c> {
    rules: Rules,
    rest: &'c str,
    text: String,
    brackets: Vec<Bracket>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let indentation = self.take_while(char::is_whitespace);
        if self.rules.is_indented {
            self.text.push_str(&indentation);
        }
        while let Some(c) = self.rest.chars().next() {
            if c.is_whitespace() {
                self.white_space();
            } else if !self.rules.is_free {
                self.push(c);
            } else if self.starts_comment() {
                self.comment();
            } else if matches!(c, '"' | '\'' | '`') {
                self.string(c);
            } else {
                self.bracket(c);
                self.push(c);
            }
        }
    }

    /// Takes characters from the rest.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    /// Writes a character and takes it from the rest.
    fn push(&mut self, c: char) {
        self.text.push(c);
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
    }

    /// Writes as much of a run of white space as means something.
    fn white_space(&mut self) {
        let run = self.take_while(char::is_whitespace);
        let indentation = run.rsplit_once('\n').map(|(_, indentation)| indentation);
        let Some(next) = self.rest.chars().next() else { return };
        let last = self.text.chars().next_back();
        if !self.rules.is_free {
            let is_indentation = indentation.is_some() && !self.rules.is_indented;
            self.text.extend(run.chars().filter(|c| !is_indentation || *c == '\n'));
            return;
        }
        match indentation {
            // A line of Python ends with it, unless a bracket is open.
            Some(indentation) if self.rules.is_indented && self.brackets.is_empty() => {
                self.text.extend(["\n", indentation]);
            }
            Some(_) => {
                let is_last_comma = self.brackets.last().is_some_and(|bracket| bracket.commas > 1);
                if matches!(next, ')' | ']' | '}') && last == Some(',') && is_last_comma {
                    self.text.pop();
                } else if last.is_some_and(|last| separates(last, next)) {
                    self.text.push('\n');
                }
            }
            None if last.is_some_and(|last| separates(last, next)) => self.text.push(' '),
            None => {}
        }
    }

    fn starts_comment(&self) -> bool {
        match self.rules.comments {
            Comments::Hash => self.rest.starts_with('#'),
            Comments::Slashes => self.rest.starts_with("//") || self.rest.starts_with("/*"),
            Comments::Unknown => false,
        }
    }

    /// Writes a comment as it is. The end of its line stays in the rest.
    fn comment(&mut self) {
        let end = if self.rest.starts_with("/*") {
            self.rest.find("*/").map_or(self.rest.len(), |at| at + 2)
        } else {
            self.rest.find('\n').unwrap_or(self.rest.len())
        };
        self.copy(end);
    }

    /// Writes a string as it is, to its end or to that of its line.
    fn string(&mut self, quote: char) {
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let may_be_triple = quote == '"' || (quote == '\'' && self.rules.is_indented);
        let is_triple = may_be_triple && self.rest.starts_with(&triple);
        let opening = if is_triple { 3 } else { 1 };
        let (mut end, mut is_escaped, mut is_closed) = (self.rest.len(), false, false);
        for (at, c) in self.rest.char_indices().skip(opening) {
            if is_escaped {
                is_escaped = false;
            } else if c == '\\' {
                is_escaped = true;
            } else if c == '\n' && !is_triple && quote != '`' {
                end = at;
                break;
            } else if c == quote && (!is_triple || self.rest.get(at..).is_some_and(|rest| rest.starts_with(&triple))) {
                (end, is_closed) = (at + opening, true);
                break;
            }
        }
        let inside = self.rest.get(opening..end.saturating_sub(opening)).unwrap_or_default();
        let is_plain = is_closed && !inside.contains(['"', '\'', '\\', '\n']);
        if quote == '\'' && is_plain && !is_triple && self.rules.is_requoted {
            let requoted = format!("\"{inside}\"");
            self.text.push_str(&requoted);
            self.rest = self.rest.get(end..).unwrap_or_default();
        } else {
            self.copy(end);
        }
    }

    /// Writes the rest up to this byte as it is.
    fn copy(&mut self, end: usize) {
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.text.push_str(taken);
        self.rest = rest;
    }

    /// Counts brackets and their commas.
    fn bracket(&mut self, c: char) {
        match c {
            '(' | '[' | '{' => self.brackets.push(Bracket::default()),
            ')' | ']' | '}' => drop(self.brackets.pop()),
            ',' => {
                if let Some(bracket) = self.brackets.last_mut() {
                    bracket.commas += 1;
                }
            }
            _ => {}
        }
    }
}

/// True if white space between two characters of code may mean something: between two parts of words, between two
/// operators, and beside the marks of paths and of regular expressions.
fn separates(last: char, next: char) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '"' | '\'' | '`') || !c.is_ascii();
    let is_bracket = |c: char| matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';');
    let is_path = |c: char| matches!(c, '/' | '\\');
    if is_bracket(last) || is_bracket(next) {
        return false;
    }
    is_path(last) || is_path(next) || is_word(last) == is_word(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(path: &str, code: &str) -> String {
        exact_text(path, code.split('\n'))
    }

    #[track_caller]
    fn same(path: &str, one: &str, other: &str) {
        assert_eq!(exact(path, one), exact(path, other), "{path}");
    }

    #[track_caller]
    fn differ(path: &str, one: &str, other: &str) {
        assert_ne!(exact(path, one), exact(path, other), "{path}");
    }

    const PATHS: [&str; 9] =
        ["a.py", "a.js", "a.go", "a.c", "a.sh", "Dockerfile", "ci.yml", "Makefile", "no-extension"];

    #[test]
    fn white_space_inside_a_string_means_something_in_every_language() {
        for path in PATHS {
            differ(path, r#"run("rm -rf /tmp/x")"#, r#"run("rm -rf / tmp/x")"#);
            differ(path, "run('rm -rf /tmp/x')", "run('rm -rf / tmp/x')");
            differ(path, r#"f("a  b")"#, r#"f("a b")"#);
            differ(path, r#"f("a\" b")"#, r#"f("a\"b")"#);
        }
        differ("a.py", "f(\"\"\"a\n b\"\"\")", "f(\"\"\"a\nb\"\"\")");
        differ("a.js", "f(`a\n b`)", "f(`a\nb`)");
    }

    #[test]
    fn words_outside_of_strings_are_separate() {
        for path in PATHS {
            differ(path, "rm -rf /tmp/x", "rm -rf / tmp/x");
            differ(path, "return x", "returnx");
            differ(path, "a - -b", "a --b");
        }
    }

    #[test]
    fn indentation_means_something_where_the_language_says_so() {
        for path in ["a.py", "ci.yml", "Makefile", "no-extension", "BUILD.bzl"] {
            differ(path, "    run(cmd)", "run(cmd)");
            differ(path, "if a:\n    b\n    c", "if a:\n    b\nc");
        }
        for path in ["a.js", "a.go", "a.c", "a.sh"] {
            same(path, "    run(cmd)", "run(cmd)");
            same(path, "if (a) {\n    b;\n}", "if (a) {\n  b;\n}");
        }
    }

    #[test]
    fn a_formatters_changes_make_no_difference() {
        for path in ["a.py", "a.js", "a.go", "a.c"] {
            same(path, "f(x,y)", "f(x, y)");
            same(path, "f( x , y )", "f(x,y)");
            same(path, "a=b", "a = b");
            same(path, "f(x, y)", "f(\n    x,\n    y,\n)");
            same(path, "f(x)  ", "f(x)");
        }
        for path in ["a.py", "a.js"] {
            same(path, "f('x')", "f(\"x\")");
            differ(path, "f('\"')", "f(\"\"\")");
        }
        for path in ["a.go", "a.c", "a.sh"] {
            differ(path, "f('x')", "f(\"x\")");
        }
        same("a.py", "x = 1\r\n", "x = 1");
        differ("a.py", "f((x,))", "f((x))");
        differ("a.py", "f((\n x,\n))", "f((\n x\n))");
    }

    #[test]
    fn a_line_that_ends_is_not_a_line_that_goes_on() {
        differ("a.js", "return\nx", "return x");
        differ("a.py", "a\nb", "a b");
        differ("a.sh", "a\nb", "a b");
    }

    #[test]
    fn quotes_in_comments_begin_no_string() {
        let py = |inside: &str| format!("# don't\nrun(\"{inside}\")  # can't");
        differ("a.py", &py("a , b"), &py("a,b"));
        let c = |inside: &str| format!("// don't\nrun(\"{inside}\"); /* can't */");
        differ("a.c", &c("a , b"), &c("a,b"));
    }

    #[test]
    fn odd_code_is_read_to_its_end() {
        for path in PATHS {
            for odd in
                ["", "\"", "'", "`", "'''", "\"\"\"a", "'\\", "/*", "# ", ")))]]", ",\n)", "ä 'ö", "\u{a0}x\u{3000}"]
            {
                let text = exact(path, odd);
                assert!(text.len() <= odd.len() + 2, "{path}: {odd:?} became {text:?}");
            }
        }
    }
}
