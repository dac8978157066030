//! Copies to a device.

use fain_autograd::{DeviceChoice, upload};
use tch::{Device, Tensor};

#[test]
fn on_the_cpu_it_is_the_same_memory() {
    for numbers in [vec![1.0f32, -2.0, 0.5], vec![]] {
        let tensor = Tensor::from_slice(&numbers);
        let place = tensor.data_ptr();
        let uploaded = upload(tensor, Device::Cpu).unwrap();
        assert_eq!(uploaded.data_ptr(), place);
        assert_eq!(Vec::<f32>::try_from(uploaded).unwrap(), numbers);
    }
}

/// Many copies in flight, whose host memory is let go of at once, arrive whole. On a machine without a CUDA device, where
/// there is nothing to copy to, it holds that such a copy is refused.
#[test]
fn copies_to_a_device_arrive_whole_which_takes_a_cuda_device() {
    let batch = |number: i64| Tensor::arange(4096, (tch::Kind::Int64, Device::Cpu)) + number;
    let Ok(device) = DeviceChoice::Cuda(0).open() else {
        assert!(upload(batch(0), Device::Cuda(0)).is_err());
        return;
    };
    let copies: Vec<Tensor> = (0..200).map(|number| upload(batch(number), device).unwrap()).collect();
    for (number, copy) in copies.into_iter().enumerate() {
        assert_eq!(copy.device(), device);
        assert_eq!(copy.to_device(Device::Cpu), batch(number as i64));
        // What is there already stays where it is.
        let place = copy.data_ptr();
        assert_eq!(upload(copy, device).unwrap().data_ptr(), place);
    }
}
