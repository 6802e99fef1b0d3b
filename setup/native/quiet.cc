// The second addon: loads the TensorFlow library without its two log lines. The library writes them while it loads,
// before TF_CPP_MIN_LOG_LEVEL or any function of it can silence them, so what it writes meanwhile goes to a file in
// memory. The caller shows what is not information (src/engine/library.ts).
#include <dlfcn.h>
#include <node_api.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace {

// absl::SetMinLogLevel(absl::LogSeverityAtLeast), in the inline namespace of the Abseil of the pinned library.
constexpr char kSetMinLogLevel[] = "_ZN4absl12lts_2025081414SetMinLogLevelENS0_18LogSeverityAtLeastE";

std::string ReadAll(int file) {
  std::string text;
  char buffer[4096];
  lseek(file, 0, SEEK_SET);
  for (ssize_t count; (count = read(file, buffer, sizeof buffer)) > 0;) text.append(buffer, count);
  return text;
}

// load(path, level): loads the library, sets its log level (0 everything, 1 warnings, 2 errors, 3 fatal errors), and
// returns what it wrote to standard error while it loaded. A library that cannot be loaded is left to the caller.
napi_value Load(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  char path[4096];
  size_t length = 0;
  int level = 2;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (count != 2 || napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &length) != napi_ok ||
      napi_get_value_int32(env, arguments[1], &level) != napi_ok) {
    napi_throw_type_error(env, nullptr, "load(path, level): expected a string and an integer.");
    return nullptr;
  }
  const int file = memfd_create("tensorflow-log", MFD_CLOEXEC);
  const int saved = file < 0 ? -1 : dup(STDERR_FILENO);
  if (saved >= 0) dup2(file, STDERR_FILENO);
  void* library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (saved >= 0) {
    dup2(saved, STDERR_FILENO);
    close(saved);
  }
  if (library != nullptr) {
    auto set = reinterpret_cast<void (*)(int)>(dlsym(library, kSetMinLogLevel));
    if (set != nullptr) set(level);
  }
  const std::string text = file < 0 ? "" : ReadAll(file);
  if (file >= 0) close(file);
  napi_value result;
  napi_create_string_utf8(env, text.data(), text.size(), &result);
  return result;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "load", NAPI_AUTO_LENGTH, Load, nullptr, &function);
  napi_set_named_property(env, exports, "load", function);
  return exports;
}

}  // namespace

NAPI_MODULE(rifle_quiet, Init)
