//! Markdown tables: a line per row, a column per runtime.

/// The columns, in order.
pub const RUNTIMES: [&str; 6] = ["bare", "ours", "monoio", "tokio", "smol", "futures"];

/// The head of a table whose lines come from [`line()`].
#[must_use]
pub fn head(unit: &str) -> String {
    let names = RUNTIMES.map(|name| if name == "ours" { "**ours**" } else { name }).join(" | ");
    let dashes = "---:|".repeat(RUNTIMES.len());
    format!("| {unit} | {names} | ours / bare | ours / best peer |\n|---|{dashes}---:|---:|")
}

/// One line: the figures, ours against the bare limit (and the aim), ours against the best peer.
#[must_use]
pub fn line(name: &str, aim: Option<f64>, figures: &[(&str, f64)]) -> String {
    let of = |runtime: &str| figures.iter().find(|(name, _)| *name == runtime).map(|(_, n)| *n);
    let cells = RUNTIMES.map(|name| of(name).map_or("–".into(), figure)).join(" | ");
    let peers = RUNTIMES[2..].iter().filter_map(|name| of(name));
    let best = peers.min_by(f64::total_cmp);
    let aim = aim.map_or(String::new(), |aim| format!(" (aim {aim})"));
    let against = |other: Option<f64>| match (of("ours"), other) {
        (Some(ours), Some(other)) => format!("{:.2}", ours / other),
        _ => "–".into(),
    };
    format!("| {name} | {cells} | {}{aim} | {} |", against(of("bare")), against(best))
}

fn figure(n: f64) -> String {
    if n < 100.0 { format!("{n:.1}") } else { format!("{n:.0}") }
}
