//! Values of Arrow arrays as texts.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};

use crate::block::Span;

const SECONDS_PER_DAY: i64 = 86_400;

/// Texts in one buffer.
#[derive(Default)]
pub(crate) struct Texts {
    pub(crate) text: String,
    pub(crate) spans: Vec<Span>,
}

/// Why an array has no texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoText {
    /// The type is none that is read.
    Type,
    /// The bytes at a place of the array are not UTF-8.
    Encoding(usize),
    /// The texts have more than 4 GiB.
    Long,
}

impl Texts {
    /// Adds a text that `write` appends to the buffer.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut String) -> Result<(), NoText>) -> Result<(), NoText> {
        let start = self.text.len();
        write(&mut self.text)?;
        if u32::try_from(self.text.len()).is_err() {
            return Err(NoText::Long);
        }
        self.spans.push(Span::new(start, self.text.len()));
        Ok(())
    }

    /// The text with a number.
    pub(crate) fn cut(&self, place: usize) -> &str {
        let span = self.spans.get(place).copied().unwrap_or_default();
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// Whether columns of a type are read: texts, numbers and times, and lists of them.
pub(crate) fn is_readable(kind: &DataType) -> bool {
    item_type(kind).map_or_else(|| is_text(kind), is_text)
}

/// The type of the items of a list.
pub(crate) fn item_type(kind: &DataType) -> Option<&DataType> {
    match kind {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}

fn is_text(kind: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Boolean, Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Dictionary,
        LargeBinary, LargeUtf8, Null, Timestamp, Utf8, Utf8View,
    };
    match kind {
        Dictionary(_, values) => is_text(values),
        Null | Boolean | Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | Date32 | Date64
        | Timestamp(..) | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => true,
        kind => kind.is_integer() || kind.is_floating(),
    }
}

/// Adds the texts of all values; a missing one is empty.
pub(crate) fn add_texts(array: &dyn Array, out: &mut Texts) -> Result<(), NoText> {
    match array.data_type() {
        DataType::Null => add_each(array, out, |_, _| Ok(())),
        DataType::Boolean => {
            let values = array.as_boolean();
            add_each(array, out, |place, text| {
                text.push(if values.value(place) { '1' } else { '0' });
                Ok(())
            })
        }
        DataType::Int8 => add_integers::<Int8Type>(array, out),
        DataType::Int16 => add_integers::<Int16Type>(array, out),
        DataType::Int32 => add_integers::<Int32Type>(array, out),
        DataType::Int64 => add_integers::<Int64Type>(array, out),
        DataType::UInt8 => add_integers::<UInt8Type>(array, out),
        DataType::UInt16 => add_integers::<UInt16Type>(array, out),
        DataType::UInt32 => add_integers::<UInt32Type>(array, out),
        DataType::UInt64 => add_integers::<UInt64Type>(array, out),
        DataType::Float16 => add_values::<Float16Type>(array, out, |value, text| add_float(value.to_f32(), text)),
        DataType::Float32 => add_values::<Float32Type>(array, out, add_float),
        DataType::Float64 => add_values::<Float64Type>(array, out, add_float),
        DataType::Decimal32(..) => add_decimals::<Decimal32Type>(array, out),
        DataType::Decimal64(..) => add_decimals::<Decimal64Type>(array, out),
        DataType::Decimal128(..) => add_decimals::<Decimal128Type>(array, out),
        DataType::Decimal256(..) => add_decimals::<Decimal256Type>(array, out),
        DataType::Date32 => {
            add_values::<Date32Type>(array, out, |days, text| add_integer(i64::from(days) * SECONDS_PER_DAY, text))
        }
        DataType::Date64 => add_seconds::<Date64Type>(array, 1_000, out),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => add_seconds::<TimestampSecondType>(array, 1, out),
            TimeUnit::Millisecond => add_seconds::<TimestampMillisecondType>(array, 1_000, out),
            TimeUnit::Microsecond => add_seconds::<TimestampMicrosecondType>(array, 1_000_000, out),
            TimeUnit::Nanosecond => add_seconds::<TimestampNanosecondType>(array, 1_000_000_000, out),
        },
        DataType::Dictionary(..) => add_dictionary(array, out),
        kind => add_strings(kind, array, out),
    }
}

fn add_strings(kind: &DataType, array: &dyn Array, out: &mut Texts) -> Result<(), NoText> {
    let utf8 = |bytes: &[u8], place: usize, text: &mut String| {
        text.push_str(std::str::from_utf8(bytes).map_err(|_| NoText::Encoding(place))?);
        Ok(())
    };
    let add = |value: &str, text: &mut String| {
        text.push_str(value);
        Ok(())
    };
    match kind {
        DataType::Utf8 => add_each(array, out, |place, text| add(array.as_string::<i32>().value(place), text)),
        DataType::LargeUtf8 => add_each(array, out, |place, text| add(array.as_string::<i64>().value(place), text)),
        DataType::Utf8View => add_each(array, out, |place, text| add(array.as_string_view().value(place), text)),
        DataType::Binary => {
            add_each(array, out, |place, text| utf8(array.as_binary::<i32>().value(place), place, text))
        }
        DataType::LargeBinary => {
            add_each(array, out, |place, text| utf8(array.as_binary::<i64>().value(place), place, text))
        }
        DataType::BinaryView => {
            add_each(array, out, |place, text| utf8(array.as_binary_view().value(place), place, text))
        }
        _ => Err(NoText::Type),
    }
}

/// Adds one text for each value that is there, and an empty one for each that is not.
fn add_each(
    array: &dyn Array,
    out: &mut Texts,
    mut add: impl FnMut(usize, &mut String) -> Result<(), NoText>,
) -> Result<(), NoText> {
    let missing = array.logical_nulls();
    for place in 0..array.len() {
        let is_there = missing.as_ref().is_none_or(|missing| missing.is_valid(place));
        out.add(|text| if is_there { add(place, text) } else { Ok(()) })?;
    }
    Ok(())
}

fn add_values<T: ArrowPrimitiveType>(
    array: &dyn Array,
    out: &mut Texts,
    add: impl Fn(T::Native, &mut String),
) -> Result<(), NoText> {
    let values = array.as_primitive::<T>();
    add_each(array, out, |place, text| {
        add(values.value(place), text);
        Ok(())
    })
}

fn add_integers<T: ArrowPrimitiveType<Native: itoa::Integer>>(
    array: &dyn Array,
    out: &mut Texts,
) -> Result<(), NoText> {
    add_values::<T>(array, out, add_integer)
}

fn add_integer(value: impl itoa::Integer, text: &mut String) {
    text.push_str(itoa::Buffer::new().format(value));
}

fn add_float(value: impl ryu::Float, text: &mut String) {
    text.push_str(ryu::Buffer::new().format(value));
}

fn add_decimals<T: DecimalType>(array: &dyn Array, out: &mut Texts) -> Result<(), NoText> {
    let values = array.as_primitive::<T>();
    add_each(array, out, |place, text| {
        text.push_str(&values.value_as_string(place));
        Ok(())
    })
}

/// Times that count `per_second` units in a second.
fn add_seconds<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    per_second: i64,
    out: &mut Texts,
) -> Result<(), NoText> {
    add_values::<T>(array, out, |value, text| add_integer(value.div_euclid(per_second), text))
}

fn add_dictionary(array: &dyn Array, out: &mut Texts) -> Result<(), NoText> {
    let Some(dictionary) = array.as_any_dictionary_opt() else { return Err(NoText::Type) };
    let mut values = Texts::default();
    add_texts(dictionary.values().as_ref(), &mut values)?;
    // Without values every key is missing, and there is nothing to normalise them to.
    let places = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
    for key in 0..array.len() {
        let place = places.get(key).filter(|_| dictionary.keys().is_valid(key));
        out.add(|text| {
            text.push_str(place.map_or("", |&place| values.cut(place)));
            Ok(())
        })?;
    }
    Ok(())
}
