//! Regions of mixed precision.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fain_autograd::{Context, Function, Precision, apply, autocast, autocast_kind, widened};
use tch::{Device, Kind, TchError, Tensor};

const CPU: Device = Device::Cpu;

fn ones(size: [i64; 2]) -> Tensor {
    Tensor::ones(size, (Kind::Float, CPU))
}

fn kind_of_a_product() -> Kind {
    ones([2, 3]).matmul(&ones([3, 2])).kind()
}

#[test]
fn matrix_products_of_a_region_are_bfloat16() {
    assert_eq!((kind_of_a_product(), autocast_kind(CPU)), (Kind::Float, None));
    let inside = autocast(CPU, Precision::BFloat16, || {
        let linear = ones([2, 3]).linear(&ones([4, 3]), Some(&Tensor::ones([4], (Kind::Float, CPU))));
        assert_eq!((linear.kind(), linear.double_value(&[0, 0])), (Kind::BFloat16, 4.0));
        assert_eq!(widened(&linear).unwrap().kind(), Kind::Float);
        (kind_of_a_product(), autocast_kind(CPU))
    });
    assert_eq!(inside.unwrap(), (Kind::BFloat16, Some(Kind::BFloat16)));
    assert_eq!((kind_of_a_product(), autocast_kind(CPU)), (Kind::Float, None));
}

#[test]
fn a_product_is_rounded_to_eight_bits() {
    // 1 + 1/256 is not a number of bfloat16.
    let number = ones([1, 1]) * (1.0 + 1.0 / 256.0);
    let product = || number.matmul(&ones([1, 1])).double_value(&[0, 0]);
    assert_eq!(autocast(CPU, Precision::BFloat16, product).unwrap().to_bits(), 1.0f64.to_bits());
    assert_eq!(autocast(CPU, Precision::Float32, product).unwrap().to_bits(), (1.0f64 + 1.0 / 256.0).to_bits());
}

#[test]
fn regions_stand_within_each_other() {
    autocast(CPU, Precision::BFloat16, || {
        autocast(CPU, Precision::Float32, || assert_eq!(kind_of_a_product(), Kind::Float)).unwrap();
        assert_eq!(kind_of_a_product(), Kind::BFloat16);
        autocast(CPU, Precision::BFloat16, || assert_eq!(kind_of_a_product(), Kind::BFloat16)).unwrap();
        assert_eq!(kind_of_a_product(), Kind::BFloat16);
        // Of another kind of device: this one stays as it is.
        autocast(Device::Cuda(0), Precision::Float32, || assert_eq!(kind_of_a_product(), Kind::BFloat16)).unwrap();
    })
    .unwrap();
    assert_eq!(kind_of_a_product(), Kind::Float);
}

#[test]
fn errors_and_panics_leave_a_region() {
    let failed = autocast(CPU, Precision::BFloat16, || ones([2, 3]).f_matmul(&ones([2, 3]))).unwrap();
    assert!(failed.is_err());
    assert_eq!(autocast_kind(CPU), None);
    let panicked = catch_unwind(AssertUnwindSafe(|| autocast(CPU, Precision::BFloat16, || panic!("inside"))));
    assert!(panicked.is_err());
    assert_eq!((autocast_kind(CPU), kind_of_a_product()), (None, Kind::Float));
}

#[test]
fn a_region_is_of_one_thread() {
    autocast(CPU, Precision::BFloat16, || {
        let elsewhere = std::thread::spawn(|| (autocast_kind(CPU), kind_of_a_product())).join().unwrap();
        assert_eq!(elsewhere, (None, Kind::Float));
    })
    .unwrap();
}

#[test]
fn what_has_no_autocast_is_refused() {
    let mut run = false;
    let error = autocast(Device::Vulkan, Precision::BFloat16, || run = true).unwrap_err().to_string();
    assert!(error.contains("unknown device type for autocast"), "{error}");
    assert!(!run);
    assert_eq!(autocast_kind(Device::Vulkan), None);
}

/// A cast that is made without a graph must not be taken for one that belongs to it.
#[test]
fn a_product_without_a_graph_takes_no_gradient_from_the_next() {
    let weight = ones([2, 2]).set_requires_grad(true);
    autocast(CPU, Precision::BFloat16, || {
        let product = || ones([1, 2]).matmul(&weight);
        let _alone = tch::no_grad(product);
        product().to_kind(Kind::Float).sum(Kind::Float).backward();
    })
    .unwrap();
    assert_eq!((weight.grad().kind(), weight.grad().double_value(&[1, 1]).to_bits()), (Kind::Float, 1.0f64.to_bits()));
}

/// `x·x` by a matrix product, in both passes.
struct Product;

impl Function for Product {
    type Error = TchError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, TchError> {
        context.save_for_backward(&[&inputs[0]]);
        Ok(vec![inputs[0].f_matmul(&inputs[0])?])
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, TchError> {
        let Some(gradient) = &gradients[0] else { return Ok(vec![None]) };
        assert_eq!(saved[0].f_matmul(gradient)?.kind(), Kind::Float);
        Ok(vec![Some(saved[0].f_matmul(gradient)?.f_mul_scalar(2.0)?)])
    }
}

#[test]
fn a_function_computes_as_it_is_written() {
    let number = (ones([1, 1]) * (1.0 + 1.0 / 256.0)).set_requires_grad(true);
    autocast(CPU, Precision::BFloat16, || {
        let square = apply(Product, &[&number]).unwrap().remove(0);
        assert_eq!(square.kind(), Kind::Float);
        assert_eq!(kind_of_a_product(), Kind::BFloat16);
        square.sum(Kind::Float).backward();
        assert_eq!(kind_of_a_product(), Kind::BFloat16);
    })
    .unwrap();
    assert_eq!(number.grad().double_value(&[0, 0]).to_bits(), (2.0f64 + 2.0 / 256.0).to_bits());
}

#[test]
fn only_products_of_a_region_are_widened() {
    let narrow = ones([1, 1]).to_kind(Kind::BFloat16);
    assert_eq!(widened(&narrow).unwrap().kind(), Kind::BFloat16);
    autocast(CPU, Precision::BFloat16, || {
        assert_eq!(widened(&narrow).unwrap().kind(), Kind::Float);
        for kind in [Kind::Double, Kind::Int64, Kind::Float] {
            assert_eq!(widened(&narrow.to_kind(kind)).unwrap().kind(), kind);
        }
    })
    .unwrap();
}

#[test]
fn the_words_of_a_configuration_are_read_and_written() {
    for (precision, word) in [(Precision::Float32, "float32"), (Precision::BFloat16, "bfloat16")] {
        assert_eq!(precision.to_string(), word);
        assert_eq!(serde_json::to_value(precision).unwrap(), word);
        assert_eq!(serde_json::from_value::<Precision>(word.into()).unwrap(), precision);
    }
    for word in ["bf16", "Float32", "float16", ""] {
        let error = serde_json::from_value::<Precision>(word.into()).unwrap_err().to_string();
        assert_eq!(error, format!("unknown variant `{word}`, expected `float32` or `bfloat16`"));
    }
    assert_eq!(Precision::default(), Precision::Float32);
}
