//! A function made of two closures, and small helpers.

use fain_autograd::{Context, Function};
use tch::{Device, Kind, Tensor};

pub(crate) type Tensors = Vec<Tensor>;
pub(crate) type Gradients = Vec<Option<Tensor>>;

/// A function whose two passes are closures.
pub(crate) struct Closures<F, B> {
    pub(crate) forward: F,
    pub(crate) backward: B,
}

impl<F, B> Function for Closures<F, B>
where
    F: FnMut(&mut Context<'_>, &[Tensor]) -> Result<Tensors, String> + Send + 'static,
    B: FnMut(&[Tensor], &[Option<Tensor>]) -> Result<Gradients, String> + Send + 'static,
{
    type Error = String;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Tensors, String> {
        (self.forward)(context, inputs)
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Gradients, String> {
        (self.backward)(saved, gradients)
    }
}

/// A function of two closures.
pub(crate) fn closures<F, B>(forward: F, backward: B) -> Closures<F, B>
where
    F: FnMut(&mut Context<'_>, &[Tensor]) -> Result<Tensors, String> + Send + 'static,
    B: FnMut(&[Tensor], &[Option<Tensor>]) -> Result<Gradients, String> + Send + 'static,
{
    Closures { forward, backward }
}

/// `x²`, with `x` saved.
pub(crate) fn square() -> impl Function<Error = String> {
    closures(
        |context, inputs| {
            context.save_for_backward(&[&inputs[0]]);
            Ok(vec![inputs[0].square()])
        },
        |saved, gradients| Ok(vec![gradients[0].as_ref().map(|gradient| gradient * &saved[0] * 2.0)]),
    )
}

/// A float64 vector that requires a gradient.
pub(crate) fn leaf(values: &[f64]) -> Tensor {
    Tensor::from_slice(values).set_requires_grad(true)
}

/// The entries as f64.
pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double).to_device(Device::Cpu).contiguous().view([-1])).unwrap()
}

/// The gradient of the sum of a tensor for one leaf.
pub(crate) fn gradient(of: &Tensor, leaf: &Tensor) -> Vec<f64> {
    values(&Tensor::run_backward(&[of.sum(None)], &[leaf], true, false)[0])
}
