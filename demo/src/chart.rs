//! Text bars, and numbers as people read them. Colour is a light help: nothing depends on it.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// No line of the demo is longer.
const WIDTH: usize = 80;

const KIB: f64 = 1024.0;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
const YEAR: f64 = 365.25 * DAY;

/// How wide the lines of a log may be: as a file they all fit, a terminal may be narrower.
pub(crate) fn log_width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|it| it.parse().ok());
    let width = match io::stdout().is_terminal() {
        true => asked.or(terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))),
        false => None,
    };
    width.unwrap_or(watch::LOG_WIDTH).clamp(WIDTH, watch::LOG_WIDTH)
}

/// A heading. Pad the text before it comes here: the colour codes have no width.
pub(crate) fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

/// A bar of so many characters; never an empty one.
pub(crate) fn bar(length: f64) -> String {
    format!("\x1b[36m{}\x1b[0m", "#".repeat((length.round() as usize).max(1)))
}

/// Writes a paragraph, broken into lines.
pub(crate) fn paragraph(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            writeln!(out)?;
            column = 0;
        }
        let space = if column > 0 { " " } else { "" };
        write!(out, "{space}{word}")?;
        column += space.len() + length;
    }
    writeln!(out)
}

/// `14.2 µs`: three digits are enough.
pub(crate) fn time(nanos: f64) -> String {
    match nanos {
        n if n < 999.5 => format!("{} ns", digits(n)),
        n if n < 999.5e3 => format!("{} µs", digits(n / 1e3)),
        n if n < 999.5e6 => format!("{} ms", digits(n / 1e6)),
        n => format!("{} s", digits(n / 1e9)),
    }
}

pub(crate) fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// `412 B`, `9.77 KiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        b if b < KIB => format!("{b:.0} B"),
        b if b < KIB * KIB => format!("{} KiB", digits(b / KIB)),
        b if b < KIB * KIB * KIB => format!("{} MiB", digits(b / KIB / KIB)),
        b => format!("{} GiB", digits(b / KIB / KIB / KIB)),
    }
}

/// Seconds, as somebody who has to wait would say it: `4 minutes`, `13 hours`.
pub(crate) fn patience(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s < 1.5 * MINUTE => (s, "second"),
        s if s < 1.5 * HOUR => (s / MINUTE, "minute"),
        s if s < 1.5 * DAY => (s / HOUR, "hour"),
        s if s < YEAR => (s / DAY, "day"),
        s => (s / YEAR, "year"),
    };
    let number = number.round().max(1.0);
    format!("{number} {unit}{}", if number > 1.0 { "s" } else { "" })
}

/// `100,000`.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `3,700,000`: only the first two digits mean anything.
pub(crate) fn about(number: f64) -> String {
    let unit = 10_f64.powf((number.max(1.0).log10().floor() - 1.0).max(0.0));
    count(((number / unit).round() * unit) as usize)
}

fn digits(number: f64) -> String {
    match number {
        n if n < 9.995 => format!("{n:.2}"),
        n if n < 99.95 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

/// Cuts off what does not fit, and says so.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 3).collect();
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        assert_eq!(time(0.312), "0.31 ns");
        assert_eq!(time(999.7), "1.00 µs");
        assert_eq!(time(14_240.0), "14.2 µs");
        assert_eq!(time(1.5e9), "1.50 s");
        assert_eq!(bytes(412.4), "412 B");
        assert_eq!(bytes(10_000.0), "9.77 KiB");
        assert_eq!(count(7), "7");
        assert_eq!(count(100_000), "100,000");
        assert_eq!(about(3_677_493.0), "3,700,000");
        assert_eq!(about(7.2), "7");
    }

    #[test]
    fn patience_is_told_in_words() {
        assert_eq!(patience(1.0), "1 second");
        assert_eq!(patience(260.0), "4 minutes");
        assert_eq!(patience(2.0 * DAY), "2 days");
        assert_eq!(patience(3.2 * YEAR), "3 years");
    }

    #[test]
    fn a_paragraph_keeps_to_the_width() {
        let mut out = Vec::new();
        paragraph(&mut out, &"burgers ".repeat(30)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.split_whitespace().count(), 30);
        assert!(text.lines().all(|line| line.len() <= WIDTH && !line.ends_with(' ')));
    }
}
