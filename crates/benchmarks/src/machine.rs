//! What the machine is and what it can do.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use crate::figures::Figure;

/// The order of the square matrices whose product is timed.
const ORDER: i64 = 1024;
/// Bytes that are copied at once: more than any cache holds.
const COPIED: usize = 256 << 20;
/// How often each rate is measured; the best counts, as anything else on the machine only slows it down.
const REPEATS: usize = 7;

/// The machine and its rates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Machine {
    /// The name of the processor.
    pub(crate) processor: String,
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// Threads of both sides of the table.
    pub(crate) threads: u16,
    /// Products of float32 matrices on one thread, in 10⁹ operations per second.
    pub(crate) gigaflops_of_one: f64,
    /// The same on `threads` threads.
    pub(crate) gigaflops: f64,
    /// Bytes read and written by a copy on `threads` threads, in 10⁹ per second.
    pub(crate) copy_gigabytes: f64,
    /// What models and recurrences are trained on, if it is a GPU.
    pub(crate) gpu: Option<Gpu>,
}

/// A GPU and its rates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Gpu {
    pub(crate) name: String,
    /// Products of float32 matrices, without TF32, in 10⁹ operations per second.
    pub(crate) gigaflops: f64,
    /// Bytes read and written by a copy within its memory, in 10⁹ per second.
    pub(crate) copy_gigabytes: f64,
}

impl Gpu {
    fn measure(number: usize) -> Result<Self> {
        let device = Device::Cuda(number);
        let _guard = tch::no_grad_guard();
        let source = Tensor::f_zeros([4 * COPIED as i64], (Kind::Uint8, device))?;
        let mut target = source.f_empty_like()?;
        let seconds = best(|| {
            let start = Instant::now();
            target.copy_(&source);
            tch::Cuda::synchronize(number as i64);
            Ok(start.elapsed().as_secs_f64())
        })?;
        Ok(Self {
            name: fain_cuda::device_name(number)?,
            gigaflops: matrix_products(device, 8 * ORDER)?,
            copy_gigabytes: 8.0 * COPIED as f64 / seconds / 1e9,
        })
    }
}

/// The least of several times.
fn best(mut time: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        best = best.min(time()?);
    }
    Ok(best)
}

impl Machine {
    /// Measures the machine. libtorch has `threads` threads afterwards.
    ///
    /// # Errors
    /// libtorch has no memory for the matrices.
    pub(crate) fn measure(threads: u16, device: Device) -> Result<Self> {
        tch::set_num_threads(1);
        let gigaflops_of_one = matrix_products(Device::Cpu, ORDER)?;
        tch::set_num_threads(i32::from(threads));
        Ok(Self {
            processor: processor(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads,
            gigaflops_of_one,
            gigaflops: matrix_products(Device::Cpu, ORDER)?,
            copy_gigabytes: copies(usize::from(threads)),
            gpu: if let Device::Cuda(number) = device { Some(Gpu::measure(number)?) } else { None },
        })
    }
}

/// The first name of a processor in the text of `/proc/cpuinfo`.
fn processor(text: &str) -> String {
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.trim().to_owned())
}

/// Numbers from -1 to 1 in no order, drawn from nowhere: others may be drawing.
fn square(device: Device, order: i64) -> Result<Tensor> {
    Ok(Tensor::f_arange(order * order, (Kind::Float, device))?.f_sin()?.f_view([order, order])?)
}

fn matrix_products(device: Device, order: i64) -> Result<f64> {
    let _guard = tch::no_grad_guard();
    let matrix = square(device, order)?;
    let seconds = best(|| {
        let start = Instant::now();
        for _ in 0..4 {
            let _ = black_box(matrix.f_matmul(&matrix)?);
        }
        if let Device::Cuda(number) = device {
            tch::Cuda::synchronize(number as i64);
        }
        Ok(start.elapsed().as_secs_f64())
    })?;
    Ok(4.0 * 2.0 * (order as f64).powi(3) / seconds / 1e9)
}

/// Products of float32 matrices for so many seconds, in operations per second.
///
/// # Errors
/// libtorch has no memory for the matrices.
pub(crate) fn sustained_products(device: Device, seconds: f64) -> Result<f64> {
    let _guard = tch::no_grad_guard();
    let order = if matches!(device, Device::Cuda(_)) { 8 * ORDER } else { ORDER };
    let matrix = square(device, order)?;
    let product = || -> Result<()> {
        let _ = black_box(matrix.f_matmul(&matrix)?);
        if let Device::Cuda(number) = device {
            tch::Cuda::synchronize(number as i64);
        }
        Ok(())
    };
    product()?;
    let (mut products, start) = (0u32, Instant::now());
    while start.elapsed().as_secs_f64() < seconds {
        product()?;
        products += 1;
    }
    Ok(f64::from(products) * 2.0 * (order as f64).powi(3) / start.elapsed().as_secs_f64())
}

fn copies(threads: usize) -> f64 {
    let source = vec![1u8; COPIED];
    let mut target = vec![0u8; COPIED];
    let part = COPIED.div_ceil(threads);
    let mut seconds = Vec::new();
    for _ in 0..REPEATS {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for (source, target) in source.chunks(part).zip(target.chunks_mut(part)) {
                scope.spawn(move || target.copy_from_slice(source));
            }
        });
        black_box(&target);
        seconds.push(start.elapsed().as_secs_f64());
    }
    Figure::of(&seconds).map_or(0.0, |figure| 2.0 * COPIED as f64 / figure.least / 1e9)
}

#[cfg(test)]
mod tests {
    use super::processor;

    #[test]
    fn the_name_of_the_processor_is_found() {
        let text = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other\n";
        assert_eq!(processor(text), "Some CPU @ 2 GHz");
        assert_eq!(processor("Features : fp asimd\n"), "unknown processor");
    }
}
