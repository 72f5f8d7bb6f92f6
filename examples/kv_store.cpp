// An actor with a name, and what a restart does to its state.
//
//   build/bin/example_kv_store
//
// An actor that dies and has restarts left is made anew by its factory, under the same name and
// handle, and with nothing in its memory. What is to survive must lie elsewhere: here in a second
// actor, which the factory asks for it. Prints:
//
//   before the restart: plain has blue, backed-up has blue
//   after the restart: plain has nothing, backed-up has blue

#include <iostream>
#include <map>
#include <optional>
#include <string>

#include <ray/api.h>

class Backup {
public:
  static Backup* Create() { return new Backup; }
  void Set(const std::string& key, const std::string& value) { map_[key] = value; }
  std::map<std::string, std::string> Read() { return map_; }

private:
  std::map<std::string, std::string> map_;
};

class KvStore {
public:
  static KvStore* Create() { return new KvStore; }

  static KvStore* CreateWithBackup(ray::ActorHandle<Backup> backup) {
    auto store = new KvStore;
    store->backup_ = backup;
    if (ray::WasCurrentActorRestarted())
      store->map_ = *backup.Task(&Backup::Read).Remote().Get();
    return store;
  }

  void Set(const std::string& key, const std::string& value) {
    if (backup_) // there first, so that what was answered for is not lost
      backup_->Task(&Backup::Set).Remote(key, value).Get();
    map_[key] = value;
  }

  std::string At(const std::string& key) { return map_.contains(key) ? map_[key] : "nothing"; }

private:
  std::map<std::string, std::string> map_;
  std::optional<ray::ActorHandle<Backup>> backup_;
};
std::string Look(const std::string& store) { // by its name: a task needs no handle
  return store + " has " + *ray::GetActor<KvStore>(store)->Task(&KvStore::At).Remote("sky").Get();
}

RAY_REMOTE(Backup::Create, &Backup::Set, &Backup::Read, KvStore::Create, KvStore::CreateWithBackup,
           &KvStore::Set, &KvStore::At, Look);

void Report(const std::string& when) {
  auto plain = ray::Task(Look).Remote("plain");
  auto backed_up = ray::Task(Look).Remote("backed-up");
  std::cout << when << " the restart: " << *plain.Get() << ", " << *backed_up.Get() << '\n';
}

int main() {
  ray::Init();
  auto backup = ray::Actor(Backup::Create).Remote();
  auto plain = ray::Actor(KvStore::Create).SetName("plain").SetMaxRestarts(1).Remote();
  auto with_backup = ray::Actor(KvStore::CreateWithBackup);
  auto backed_up = with_backup.SetName("backed-up").SetMaxRestarts(1).Remote(backup);
  for (auto store : {plain, backed_up})
    store.Task(&KvStore::Set).Remote("sky", "blue").Get();
  Report("before");
  for (auto store : {plain, backed_up})
    store.Kill(false); // false: it may restart
  Report("after");
  ray::Shutdown();
}
