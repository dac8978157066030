//! `fain predict`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::ensure;
use fain_features::Parts;
use fain_metrics::sigmoid;

use crate::arguments::PredictArguments;
use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::new_file::NewFile;
use crate::scoring;
use crate::text::count;

pub(crate) fn run(arguments: &PredictArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let PredictArguments { run, input, output, force, device } = arguments;
    if same_file(input, output) {
        return Err(Stop::Request(format!("{}: the output would replace the input", output.display())).into());
    }
    let mut file = NewFile::create(output, *force)?;
    let (bundle, _) = scoring::open(run, *device)?;
    let mut console = Console::new();
    file.write("row,probability\n")?;
    let (mut row, mut lines) = (0_u64, String::new());
    scoring::score(&bundle, input, Parts::default(), &mut console, interrupt, &mut |scored| {
        lines.clear();
        for &logit in scored.logits {
            row += 1;
            let probability = sigmoid(logit);
            ensure!(!probability.is_nan(), "{}, row {row}: the model's score is NaN", input.display());
            // A String takes whatever is written to it. `{}` gives the shortest digits that read back to the same number.
            let _ = writeln!(lines, "{row},{probability}");
        }
        file.write(&lines)
    })?;
    file.publish()?;
    console.say(&format!("{} rows scored: {}", count(row), output.display()));
    Ok(())
}

/// Whether both names lead to one file that exists.
fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
