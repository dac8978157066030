// Exceptions as texts: none may pass into Rust (src/report.rs is the other half).
#pragma once

#include <c10/util/Exception.h>

#include <cstddef>
#include <exception>
#include <string>

// Takes the reason of a failure.
using Report = void (*)(void* sink, const char* text, size_t length);

// Runs `work`; says whether it was done. If not, `report` got the reason.
template <typename Work>
bool attempt(void* sink, Report report, Work&& work) noexcept {
  std::string text;
  try {
    work();
    return true;
  } catch (const c10::Error& error) {
    text = error.what_without_backtrace();
  } catch (const std::exception& error) {
    text = error.what();
  }
  report(sink, text.data(), text.size());
  return false;
}
