//! Reads an Arrow IPC file from memory, without copying, and without trusting it.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, Endianness, MessageHeader, MetadataVersion, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, DataType, SchemaRef};

use crate::error::StorageError;

/// The first bytes of an Arrow IPC file; six of them are its last bytes, too.
const MAGIC: &[u8] = b"ARROW1\0\0";
/// Footer length and magic at the end of a file.
const TRAILER: usize = 10;
/// What stands before a message's length.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The record batches of a file whose columns must be those of `schema`. Their buffers are slices of `file`.
pub(crate) fn batches(path: &Path, file: &Buffer, schema: &SchemaRef) -> Result<Vec<RecordBatch>, StorageError> {
    decode(file, schema).map_err(|found| StorageError::damaged(path, "the file", found, "an Arrow IPC file as written"))
}

fn decode(file: &Buffer, schema: &SchemaRef) -> Result<Vec<RecordBatch>, String> {
    let bytes = file.as_slice();
    let trailer = bytes
        .len()
        .checked_sub(TRAILER)
        .filter(|start| *start >= MAGIC.len() && bytes.starts_with(MAGIC))
        .ok_or("not one: the first bytes differ")?;
    let last: [u8; TRAILER] = bytes[trailer..].try_into().map_err(|_| "not one: the last bytes differ")?;
    let length = read_footer_length(last).map_err(text)?;
    let end = trailer
        .checked_sub(length)
        .filter(|start| *start >= MAGIC.len())
        .ok_or("cut short: the footer does not fit")?;
    let footer = root_as_footer(&bytes[end..trailer]).map_err(|cause| cause.to_string())?;
    if footer.version() != MetadataVersion::V5 {
        return Err(format!("of metadata version {:?}", footer.version()));
    }
    let found = footer.schema().ok_or("without a schema")?;
    // Values are read in place: those of other machines would be other values.
    if found.endianness() != Endianness::Little {
        return Err(format!("one with numbers in the byte order {:?}", found.endianness()));
    }
    let found = try_fb_to_schema(found).map_err(text)?;
    if found != **schema {
        return Err(format!("one with the columns [{}]", columns(&found)));
    }
    if footer.dictionaries().is_some_and(|blocks| !blocks.is_empty()) {
        return Err("one with dictionaries".to_owned());
    }
    let widths = widths(schema).ok_or("one with columns of a type that is not read")?;
    // A buffer that is not aligned would be copied silently; the writer aligns all of them.
    let decoder = FileDecoder::new(schema.clone(), footer.version()).with_require_alignment(true);
    footer
        .recordBatches()
        .ok_or("one without a list of record batches")?
        .iter()
        .map(|block| {
            let message = message(file, end, *block, &widths)?;
            decoder
                .read_record_batch(block, &message)
                .map_err(text)?
                .ok_or_else(|| "one with an empty message".to_owned())
        })
        .collect()
}

/// The bytes of one message, header and body. The decoder slices by what the header says and panics where that does
/// not fit, so every length is checked here first.
fn message(file: &Buffer, end: usize, block: Block, widths: &[i64]) -> Result<Buffer, String> {
    let outside = "one with a record batch outside of the file";
    let start = usize::try_from(block.offset()).map_err(|_| outside)?;
    let header = usize::try_from(block.metaDataLength()).map_err(|_| outside)?;
    let body = usize::try_from(block.bodyLength()).map_err(|_| outside)?;
    let length = header.checked_add(body).ok_or(outside)?;
    if start.checked_add(length).is_none_or(|stop| stop > end) {
        return Err(outside.to_owned());
    }
    let bytes = file.slice_with_length(start, length);
    let metadata = bytes
        .get(..header)
        .filter(|metadata| metadata.starts_with(&CONTINUATION))
        .and_then(|metadata| metadata.get(8..))
        .ok_or("one with a record batch that does not start as one")?;
    let found = root_as_message(metadata).map_err(|cause| cause.to_string())?;
    let batch = Some(found)
        .filter(|found| found.header_type() == MessageHeader::RecordBatch)
        .and_then(|found| found.header_as_record_batch())
        .ok_or("one with a message that is no record batch")?;
    check_columns(batch, body, widths)?;
    Ok(bytes)
}

/// The columns of a batch must lie in its body, whole and without nulls.
fn check_columns(batch: arrow_ipc::RecordBatch<'_>, body: usize, widths: &[i64]) -> Result<(), &'static str> {
    if batch.compression().is_some() {
        return Err("one with compressed columns");
    }
    for (place, buffer) in batch.buffers().iter().flatten().enumerate() {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let stop = range.and_then(|(offset, length)| offset.checked_add(length));
        if stop.is_none_or(|stop| stop > body) {
            return Err("one with a column outside of its record batch");
        }
        if widths.get(place).is_none_or(|width| buffer.length() % width != 0) {
            return Err("one with a column that ends in the middle of a number");
        }
    }
    let lengths = batch.nodes().into_iter().flatten().map(|node| (node.length(), node.null_count()));
    for (length, nulls) in lengths.chain([(batch.length(), 0)]) {
        if nulls != 0 {
            return Err("one with a column that has nulls");
        }
        // A number takes more than a byte; this keeps the decoder's own sums from overflowing.
        if usize::try_from(length).ok().is_none_or(|length| length > body) {
            return Err("one with a column longer than its record batch");
        }
    }
    Ok(())
}

/// The width in bytes of the values of each buffer, in the order of a record batch: a bitmap for every column and for
/// the values of every list, then numbers, or offsets and what they point into. `None` for a type that is not read.
fn widths(schema: &SchemaRef) -> Option<Vec<i64>> {
    let mut widths = Vec::new();
    for field in schema.fields() {
        add_widths(field.data_type(), &mut widths)?;
    }
    Some(widths)
}

fn add_widths(kind: &DataType, widths: &mut Vec<i64>) -> Option<()> {
    match kind {
        DataType::List(item) => {
            widths.extend([1, 4]);
            add_widths(item.data_type(), widths)
        }
        DataType::Utf8 => {
            widths.extend([1, 4, 1]);
            Some(())
        }
        number => {
            widths.extend([1, number.primitive_width()? as i64]);
            Some(())
        }
    }
}

fn columns(schema: &arrow_schema::Schema) -> String {
    let columns: Vec<String> =
        schema.fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
    columns.join(", ")
}

#[allow(clippy::needless_pass_by_value, reason = "the argument of map_err")]
fn text(cause: ArrowError) -> String {
    cause.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Cursor;
    use std::sync::Arc;

    use arrow_array::{Array, ArrayRef, Float32Array, ListArray, UInt32Array};
    use arrow_buffer::OffsetBuffer;
    use arrow_ipc::reader::FileReader;
    use arrow_ipc::writer::FileWriter;
    use arrow_schema::{DataType, Field, Schema};
    use proptest::prelude::*;

    use super::*;
    use crate::write::list_of;

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("label", DataType::Float32, false),
            Field::new("feature:history", list_of(DataType::UInt32), false),
        ]))
    }

    fn batch(rows: usize) -> RecordBatch {
        let values = (0..(rows * rows) as u32).collect::<UInt32Array>();
        let offsets = OffsetBuffer::from_repeated_length(rows, rows);
        let columns: [ArrayRef; 2] = [
            Arc::new(Float32Array::from_iter_values((0..rows).map(|row| (row % 2) as f32))),
            Arc::new(
                ListArray::try_new(
                    Arc::new(Field::new("item", DataType::UInt32, false)),
                    offsets,
                    Arc::new(values),
                    None,
                )
                .unwrap(),
            ),
        ];
        RecordBatch::try_new(schema(), columns.to_vec()).unwrap()
    }

    fn file() -> Vec<u8> {
        let mut writer = FileWriter::try_new(Vec::new(), &schema()).unwrap();
        writer.write(&batch(5)).unwrap();
        writer.write(&batch(3)).unwrap();
        writer.into_inner().unwrap()
    }

    fn read(bytes: Vec<u8>) -> Result<Vec<RecordBatch>, StorageError> {
        batches(Path::new("train.arrow"), &Buffer::from_vec(bytes), &schema())
    }

    fn found(bytes: Vec<u8>) -> String {
        let message = read(bytes).unwrap_err().to_string();
        let message = message.strip_prefix("train.arrow: the file is ").unwrap();
        message.strip_suffix("; needed: an Arrow IPC file as written").unwrap().to_owned()
    }

    #[test]
    fn what_was_written_is_read_in_place() {
        let file = Buffer::from_vec(file());
        let read = batches(Path::new("train.arrow"), &file, &schema()).unwrap();
        assert_eq!(read, [batch(5), batch(3)]);
        let labels = read[1].column(0).to_data().buffers()[0].as_ptr();
        assert!(file.as_slice().as_ptr_range().contains(&labels), "the column was copied");
    }

    #[test]
    fn other_files_are_refused() {
        let whole = file();
        assert_eq!(found(Vec::new()), "not one: the first bytes differ");
        assert_eq!(found(b"label,history\n1,2|3\n0,4|5\n".to_vec()), "not one: the first bytes differ");
        let cut = whole[..whole.len() - 1].to_vec();
        assert_eq!(found(cut), "Parser error: Arrow file does not contain correct footer");
        let other = Schema::new(vec![Field::new("label", DataType::Float32, false)]);
        let other = FileWriter::try_new(Vec::new(), &other).unwrap().into_inner().unwrap();
        assert_eq!(found(other), "one with the columns [label: Float32]");
    }

    /// Arrow's own reader copies what it reads and sees every field of the schema: where this one accepts, it must, too,
    /// and give the same. One wrong bit can say, for example, that the numbers are those of a machine of another byte
    /// order.
    #[test]
    fn what_has_a_wrong_bit_is_read_as_arrow_reads_it() {
        let whole = file();
        let (mut accepted, mut refused) = (0, 0);
        for bit in 0..8 * whole.len() {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(found) = read(bytes.clone()) else {
                refused += 1;
                continue;
            };
            let reader = FileReader::try_new(Cursor::new(bytes), None);
            let needed: Result<Vec<RecordBatch>, ArrowError> = reader.and_then(Iterator::collect);
            assert_eq!(found, needed.unwrap(), "bit {bit}");
            accepted += 1;
        }
        assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
    }

    #[test]
    fn every_file_cut_short_is_refused() {
        let whole = file();
        for length in 0..whole.len() {
            assert!(read(whole[..length].to_vec()).is_err(), "the first {length} bytes");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]
        /// Changed bytes give an error or other values, never a panic.
        #[test]
        fn changed_bytes_do_no_harm(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = file();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if let Ok(batches) = read(bytes) {
                for batch in batches {
                    let lists = batch.column(1).as_any().downcast_ref::<ListArray>().unwrap();
                    for row in 0..lists.len() {
                        prop_assert!(lists.value(row).len() <= lists.values().len());
                    }
                }
            }
        }
    }
}
