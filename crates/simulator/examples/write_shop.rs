//! Writes a shop: `write_shop CONFIG FOLDER` makes `train.csv` and `test.csv`,
//! `write_shop CONFIG FOLDER --log` makes `events.csv`, `users.csv` and `items.csv`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program, not a library")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use fain_simulator::{Phase, Progress, ShopConfig};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [config, folder] => write(config.as_ref(), folder.as_ref(), false),
        [config, folder, "--log"] => write(config.as_ref(), folder.as_ref(), true),
        _ => {
            eprintln!("usage: write_shop CONFIG FOLDER [--log]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(config: &Path, folder: &Path, log: bool) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(config).map_err(|error| format!("{}: {error}", config.display()))?;
    let config: ShopConfig = toml::from_str(&text).map_err(|error| format!("{}: {error}", config.display()))?;
    let shop = config.check()?;
    let mut percent = None;
    let mut progress = |progress: &Progress| {
        let now = progress.done * 100 / progress.total.max(1);
        if progress.phase == Phase::Write && percent.replace(now) != Some(now) {
            eprintln!("{now} %");
        }
        ControlFlow::Continue(())
    };
    if log {
        println!("{:?}", shop.write_log(folder, &mut progress)?);
    } else {
        println!("{:?}", shop.write_samples(folder, &mut progress)?);
    }
    Ok(())
}
