//! The corpus, one request a line, with `\r`, `\n`, `\t`, `\\` and `\xNN`: `requests.txt` is written
//! by hand, `found.txt` by the fuzzer, each line for a way through the parser that was new to it.

use std::fs;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/");

pub(crate) fn requests() -> Vec<Vec<u8>> {
    [by_hand(), list("found.txt")].concat()
}

fn by_hand() -> Vec<Vec<u8>> {
    list("requests.txt")
}

fn list(name: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(format!("{FOLDER}{name}")).expect("the corpus is there");
    text.lines().map(read).collect()
}

fn read(line: &str) -> Vec<u8> {
    let mut parts = line.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    // `\\` splits into an empty part and the one after it, which is taken as it is.
    while let Some(part) = parts.next() {
        let (byte, rest) = match part.as_bytes() {
            [b'r', ..] => (b'\r', &part[1..]),
            [b'n', ..] => (b'\n', &part[1..]),
            [b't', ..] => (b'\t', &part[1..]),
            [b'x', ..] => (u8::from_str_radix(&part[1..3], 16).unwrap(), &part[3..]),
            [b'\'' | b'"', ..] => (part.as_bytes()[0], &part[1..]),
            [] => (b'\\', parts.next().expect("a backslash stands for something")),
            _ => panic!("the corpus: {line:?}"),
        };
        bytes.push(byte);
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

/// `from` is a folder of files, as cargo-fuzz keeps them: the short ones become `found.txt`.
pub(crate) fn take_in(from: &Path, most: usize) {
    let files = fs::read_dir(from).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let by_hand = by_hand();
    let mut found: Vec<_> = files.filter(|bytes| (1..=most).contains(&bytes.len())).collect();
    found.retain(|bytes| !by_hand.contains(bytes));
    found.sort();
    let lines: String = found.iter().map(|bytes| format!("{}\n", bytes.escape_ascii())).collect();
    fs::write(format!("{FOLDER}found.txt"), lines).unwrap();
}

/// One file for each request, as cargo-fuzz reads them.
pub(crate) fn write_out(to: &Path) {
    fs::create_dir_all(to).unwrap();
    for (number, bytes) in requests().iter().enumerate() {
        fs::write(to.join(format!("committed-{number:04}")), bytes).unwrap();
    }
}
