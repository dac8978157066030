//! A batch of a Parquet file as a block of rows.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::block::{Block, Lists, Span};
use crate::parquet_text::{NoText, Texts, add_texts, item_type};

/// Why a batch is no block: the number of the column, and what is wrong with it.
pub(crate) type WrongColumn = (usize, NoText);

/// The block of some columns of the same length.
///
/// # Errors
/// The first column that has no texts; of wrong bytes, the row in the batch is named.
pub(crate) fn block(
    columns: &[ArrayRef],
    rows: usize,
    first_row: u64,
    file: Arc<PathBuf>,
) -> Result<Block, WrongColumn> {
    let width = columns.len();
    let mut texts = Texts::default();
    let mut fields = vec![Span::default(); rows * width];
    let mut lists = Lists::default();
    let is_list = |column: &ArrayRef| item_type(column.data_type()).is_some();
    lists.count = columns.iter().filter(|column| is_list(column)).count();
    lists.fields = vec![Span::default(); rows * lists.count];
    if lists.count > 0 {
        let numbers =
            columns.iter().scan(0, |next, column| Some(is_list(column).then(|| std::mem::replace(next, *next + 1))));
        lists.columns = numbers.collect();
    }
    for (place, column) in columns.iter().enumerate() {
        texts.spans.clear();
        match lists.columns.get(place).copied().flatten() {
            None => add_texts(column.as_ref(), &mut texts),
            Some(list) => add_lists(column.as_ref(), list, &mut texts, &mut lists),
        }
        .map_err(|problem| (place, problem))?;
        for (row, &span) in texts.spans.iter().enumerate().take(rows) {
            fields[row * width + place] = span;
        }
    }
    let Texts { text, spans: _ } = texts;
    Ok(Block { file, text, width, rows, fields, first_row, bytes: Vec::new(), lists })
}

/// Adds lists as texts such as `[a, b]`, and their items as parts of them.
fn add_lists(array: &dyn Array, list: usize, out: &mut Texts, lists: &mut Lists) -> Result<(), NoText> {
    let Some((values, ranges)) = list_values(array) else { return Err(NoText::Type) };
    let mut items = Texts::default();
    add_texts(values.as_ref(), &mut items).map_err(|problem| match problem {
        NoText::Encoding(item) => NoText::Encoding(ranges.iter().position(|row| row.contains(&item)).unwrap_or(0)),
        other => other,
    })?;
    for (row, range) in ranges.into_iter().enumerate() {
        let first = lists.texts.len();
        let is_there = array.is_valid(row);
        out.add(|text| {
            if !is_there {
                return Ok(());
            }
            let mut before = '[';
            for item in range {
                text.push(before);
                if before == ',' {
                    text.push(' ');
                }
                before = ',';
                let start = text.len();
                text.push_str(items.cut(item));
                if u32::try_from(text.len()).is_err() {
                    return Err(NoText::Long);
                }
                lists.texts.push(Span::new(start, text.len()));
            }
            text.push_str(if before == '[' { "[]" } else { "]" });
            Ok(())
        })?;
        if u32::try_from(lists.texts.len()).is_err() {
            return Err(NoText::Long);
        }
        lists.fields[row * lists.count + list] = Span::new(first, lists.texts.len());
    }
    Ok(())
}

/// The items of all lists, and which of them belong to each row.
fn list_values(array: &dyn Array) -> Option<(&ArrayRef, Vec<Range<usize>>)> {
    match array.data_type() {
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let ranges = lists.value_offsets().windows(2).map(|ends| ends[0] as usize..ends[1] as usize);
            Some((lists.values(), ranges.collect()))
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            let ranges = lists.value_offsets().windows(2).map(|ends| ends[0] as usize..ends[1] as usize);
            Some((lists.values(), ranges.collect()))
        }
        DataType::FixedSizeList(_, _) => {
            let lists = array.as_fixed_size_list();
            let range = |row| {
                let start = lists.value_offset_at(row);
                start..start + lists.value_length() as usize
            };
            Some((lists.values(), (0..lists.len()).map(range).collect()))
        }
        _ => None,
    }
}
