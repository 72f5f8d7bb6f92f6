#include "rl/env/mujoco_model.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include <mujoco/mujoco.h>
#include <zlib.h>

#include "rl/error.hpp"
#include "rl/run/file.hpp"

namespace rl {

namespace {

constexpr const char* folder_variable = "CAF_RAY_MUJOCO_MODELS";
constexpr const char* debian_folder = "/usr/share/doc/dart/data/mjcf/openai";
constexpr std::size_t max_model_bytes = 1 << 20;

// Debian's files as they are would be refused, or read with another meaning.
struct Mend {
  const char* model;
  const char* from;
  const char* to;
};
constexpr Mend mends[] = {
  {"walker2d", "pos=\"0.2/2 0 0.1\"", "pos=\"0.1 0 0.1\""}, // MuJoCo does not calculate
  {"inverted_pendulum", "<compiler inertiafromgeom",        // else the motor's range is not kept
   "<compiler autolimits=\"true\" inertiafromgeom"},
};

std::string inflated(const std::string& bytes, const std::filesystem::path& file) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
    throw Error(ErrorCode::cannot_read, "cannot read " + file.string() + ": zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string result;
  std::array<char, 16384> part;
  int status = Z_OK;
  while (status == Z_OK && result.size() <= max_model_bytes) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = part.size();
    status = inflate(&stream, Z_NO_FLUSH);
    result.append(part.data(), part.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END)
    throw Error(ErrorCode::cannot_read,
                "cannot read " + file.string() + ": it is no sound gzip file of a model");
  return result;
}

void mend(const std::string& name, std::string& text) {
  std::erase(text, '\r');
  for (auto& each : mends)
    if (name == each.model)
      for (auto at = text.find(each.from); at != text.npos;
           at = text.find(each.from, at + std::strlen(each.to)))
        text.replace(at, std::strlen(each.from), each.to);
}

// MuJoCo would end the process at an error, and write a file into the working folder at a warning.
// Warnings are counted in mjData, where a task looks at them.
void handle_errors() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (!mju_user_error)
      mju_user_error = [](const char* text) {
        throw Error(ErrorCode::bad_environment, std::string("MuJoCo: ") + text);
      };
    if (!mju_user_warning)
      mju_user_warning = [](const char*) {};
  });
}

std::shared_ptr<const mjModel> compile(const std::string& name) {
  auto text = read_mujoco_model(name);
  handle_errors();
  auto files = std::make_unique<mjVFS>(); // MuJoCo reads from memory through a file system of it
  mj_defaultVFS(files.get());
  auto file = name + ".xml";
  mj_makeEmptyFileVFS(files.get(), file.c_str(), static_cast<int>(text.size()));
  auto index = mj_findFileVFS(files.get(), file.c_str());
  std::memcpy(files->filedata[index], text.data(), text.size());
  std::array<char, 1000> error{};
  auto* model = mj_loadXML(file.c_str(), files.get(), error.data(), error.size());
  mj_deleteVFS(files.get());
  if (!model)
    throw Error(ErrorCode::cannot_read, "MuJoCo cannot compile the model '" + name + "' of "
                                          + mujoco_model_folder().string() + ": " + error.data());
  return {model, [](const mjModel* each) { mj_deleteModel(const_cast<mjModel*>(each)); }};
}

} // namespace

std::filesystem::path mujoco_model_folder() {
  auto* named = std::getenv(folder_variable);
  return named && *named ? named : debian_folder;
}

std::string read_mujoco_model(const std::string& name) {
  auto plain = mujoco_model_folder() / (name + ".xml");
  auto packed = mujoco_model_folder() / (name + ".xml.gz");
  std::string text;
  if (file_exists(plain))
    text = read_file(plain);
  else if (file_exists(packed))
    text = inflated(read_file(packed), packed);
  else
    throw Error(ErrorCode::cannot_read,
                "no model '" + name + "': neither " + plain.string() + " nor " + packed.string()
                  + " is there. Debian's package dart-doc brings it (apt-get install dart-doc; a "
                    "slim container leaves out what lies in /usr/share/doc). Or set "
                  + folder_variable + " to a folder that holds it");
  mend(name, text);
  return text;
}

std::shared_ptr<const mjModel> load_mujoco_model(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const mjModel>> models;
  auto key = (mujoco_model_folder() / name).string();
  std::lock_guard lock(mutex);
  auto model = models[key].lock();
  if (!model)
    models[key] = model = compile(name);
  return model;
}

} // namespace rl
