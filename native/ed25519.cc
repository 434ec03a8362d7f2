// Ed25519 by libsodium: class SigningKey(seed) with publicKey(), sign(message), signHash(context,
// bytes, prefix) -> [hash, signature], where the hash is BLAKE3's of the bytes in hex and the
// signature is over the prefix and the hash's bytes, and begin(messages, lengths) -> job, which
// signs messages that lie one after another on a thread of its own;
// ed25519Finish(job) -> their signatures, and waits for them;
// ed25519Verify(key, message, signature) -> boolean; ed25519VerifyAll(rows) -> Promise<Uint8Array>,
// one 1 or 0 for each row. A row is key (32), signature (64), the message's length (1), message
// (63, filled up).
//
// libsodium refuses what RFC 8032 does not ask to be refused, an R of small order: a 0 is no
// verdict yet, lib/codec/keys.ts asks again. Owner: bytes are borrowed [N3], but begin() copies its
// messages; the secret stays here, once, and is wiped when neither its object nor a job uses it.
// Threads: ed25519VerifyAll runs on the libuv pool, a job on its own; neither touches a Napi value
// there [N4].
#include <sodium.h>

#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "core/blake3.h"

namespace gdo {
namespace {

constexpr size_t kKeyBytes = crypto_sign_PUBLICKEYBYTES;
constexpr size_t kSignatureBytes = crypto_sign_BYTES;
constexpr size_t kRowBytes = 160;
constexpr size_t kLengthAt = kKeyBytes + kSignatureBytes;
constexpr size_t kMessageAt = kLengthAt + 1;

using Bytes = std::span<const uint8_t>;

bool IsGood(Bytes key, Bytes message, Bytes signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

bool IsGoodRow(Bytes row) {
  const size_t length = row[kLengthAt];
  if (length > kRowBytes - kMessageAt) return false;
  return IsGood(row.first(kKeyBytes), row.subspan(kMessageAt, length),
                row.subspan(kKeyBytes, kSignatureBytes));
}

// Wiped when the last who signs with it is done.
class SecretKey {
 public:
  SecretKey() = default;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  ~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

  // From the seed; gives the public key.
  void Derive(Bytes seed, uint8_t* public_key) {
    crypto_sign_seed_keypair(public_key, bytes_.data(), seed.data());
  }

  void Sign(Bytes message, uint8_t* signature) const {
    crypto_sign_detached(signature, nullptr, message.data(), message.size(), bytes_.data());
  }

 private:
  std::array<uint8_t, crypto_sign_SECRETKEYBYTES> bytes_{};
};

class SigningJob {
 public:
  // The lengths are those of the messages, which they fill.
  SigningJob(std::shared_ptr<const SecretKey> secret, Bytes messages, std::vector<uint32_t> lengths)
      : secret_(std::move(secret)),
        messages_(messages.begin(), messages.end()),
        lengths_(std::move(lengths)),
        signatures_(lengths_.size() * kSignatureBytes) {
    try {
      thread_ = std::thread([this] { SignAll(); });
    } catch (const std::system_error&) {
      SignAll();  // No thread is to be had: then at once.
    }
  }

  SigningJob(const SigningJob&) = delete;
  SigningJob& operator=(const SigningJob&) = delete;
  ~SigningJob() { Wait(); }

  Bytes Signatures() {
    Wait();
    return signatures_;
  }

 private:
  void Wait() {
    if (thread_.joinable()) thread_.join();
  }

  void SignAll() {
    Bytes left = messages_;
    uint8_t* signature = signatures_.data();
    for (const uint32_t length : lengths_) {
      secret_->Sign(left.first(length), signature);
      left = left.subspan(length);
      signature += kSignatureBytes;
    }
  }

  const std::shared_ptr<const SecretKey> secret_;
  const std::vector<uint8_t> messages_;
  const std::vector<uint32_t> lengths_;
  std::vector<uint8_t> signatures_;
  std::thread thread_;
};

// As a Uint32Array has them.
std::vector<uint32_t> LengthsOf(Bytes bytes) {
  std::vector<uint32_t> lengths(bytes.size() / sizeof(uint32_t));
  std::memcpy(lengths.data(), bytes.data(), lengths.size() * sizeof(uint32_t));
  return lengths;
}

class SigningKeyWrap final : public Napi::ObjectWrap<SigningKeyWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "SigningKey",
                       {InstanceMethod<&SigningKeyWrap::PublicKey>("publicKey"),
                        InstanceMethod<&SigningKeyWrap::Sign>("sign"),
                        InstanceMethod<&SigningKeyWrap::SignHash>("signHash"),
                        InstanceMethod<&SigningKeyWrap::Begin>("begin")});
  }

  explicit SigningKeyWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SigningKeyWrap>(info) {
    if (!RequireBytes(info, 0)) return;
    const Bytes seed = BytesArgument(info, 0);
    if (seed.size() != crypto_sign_SEEDBYTES) {
      ThrowTypeError(info.Env(), "a seed has 32 bytes");
      return;
    }
    secret_->Derive(seed, public_.data());
  }

  Napi::Value PublicKey(const Napi::CallbackInfo& info) { return CopyOut(info.Env(), public_); }

  Napi::Value Sign(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    const Bytes message = BytesArgument(info, 0);
    std::array<uint8_t, kSignatureBytes> signature;
    secret_->Sign(message, signature.data());
    return CopyOut(info.Env(), signature);
  }

  Napi::Value SignHash(const Napi::CallbackInfo& info) {
    if (!info[0].IsString()) {
      ThrowTypeError(info.Env(), "expected a context string");
      return {};
    }
    if (!RequireBytes(info, 1) || !RequireBytes(info, 2)) return {};
    Blake3 hash = Blake3::DeriveKey(info[0].As<Napi::String>().Utf8Value());
    hash.Update(BytesArgument(info, 1));
    const Blake3::Digest digest = hash.Finish();
    const Bytes prefix = BytesArgument(info, 2);
    std::vector<uint8_t> message(prefix.begin(), prefix.end());
    message.insert(message.end(), digest.begin(), digest.end());
    std::array<uint8_t, kSignatureBytes> signature;
    secret_->Sign(message, signature.data());
    const Napi::Array both = Napi::Array::New(info.Env(), 2);
    const Napi::String hex = HexOf(info.Env(), digest);
    const Napi::Uint8Array bytes = CopyOut(info.Env(), signature);
    if (both.IsEmpty() || hex.IsEmpty() || bytes.IsEmpty()) return {};
    both.Set(0U, hex);
    both.Set(1U, bytes);
    return both;
  }

  Napi::Value Begin(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0) || !RequireBytes(info, 1)) return {};
    const Bytes messages = BytesArgument(info, 0);
    std::vector<uint32_t> lengths = LengthsOf(BytesArgument(info, 1));
    if (std::accumulate(lengths.begin(), lengths.end(), uint64_t{0}) != messages.size()) {
      ThrowTypeError(info.Env(), "the lengths are not those of the messages");
      return {};
    }
    auto job = std::make_unique<SigningJob>(secret_, messages, std::move(lengths));
    return Napi::External<SigningJob>::New(info.Env(), job.release(),
                                           [](Napi::Env, SigningJob* done) { delete done; });
  }

 private:
  std::array<uint8_t, kKeyBytes> public_{};
  const std::shared_ptr<SecretKey> secret_ = std::make_shared<SecretKey>();
};

Napi::Value Finish(const Napi::CallbackInfo& info) {
  if (!info[0].IsExternal()) {
    ThrowTypeError(info.Env(), "expected what begin() gave");
    return {};
  }
  return CopyOut(info.Env(), info[0].As<Napi::External<SigningJob>>().Data()->Signatures());
}

Napi::Value Verify(const Napi::CallbackInfo& info) {
  for (size_t index = 0; index < 3; ++index) {
    if (!RequireBytes(info, index)) return {};
  }
  const Bytes key = BytesArgument(info, 0);
  const Bytes signature = BytesArgument(info, 2);
  const bool is_whole = key.size() == kKeyBytes && signature.size() == kSignatureBytes;
  return Napi::Boolean::New(info.Env(), is_whole && IsGood(key, BytesArgument(info, 1), signature));
}

class VerifyWorker final : public Napi::AsyncWorker {
 public:
  VerifyWorker(Napi::Env env, Napi::Uint8Array rows)
      : Napi::AsyncWorker(env, "gdo.verify"),
        deferred_(Napi::Promise::Deferred::New(env)),
        rows_reference_(Napi::Persistent(rows)),
        rows_{rows.Data(), rows.ByteLength()},
        are_good_(rows_.size() / kRowBytes) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Execute() override {
    for (size_t index = 0; index < are_good_.size(); ++index) {
      are_good_[index] = IsGoodRow(rows_.subspan(index * kRowBytes, kRowBytes)) ? 1 : 0;
    }
  }

  void OnOK() override {
    const Napi::Uint8Array are_good = CopyOut(Env(), are_good_);
    // Nobody is left to be told: the environment ends, and with it the promise.
    if (!are_good.IsEmpty()) deferred_.Resolve(are_good);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  const Napi::Promise::Deferred deferred_;
  const Napi::Reference<Napi::Uint8Array> rows_reference_;
  const Bytes rows_;
  std::vector<uint8_t> are_good_;
};

Napi::Value VerifyAll(const Napi::CallbackInfo& info) {
  if (!RequireBytes(info, 0)) return {};
  auto* const worker =  // Deletes itself when done.
      new VerifyWorker(info.Env(), info[0].As<Napi::Uint8Array>());
  const Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

}  // namespace

void ExportEd25519(Napi::Env env, Napi::Object exports) {
  if (sodium_init() < 0) {  // Once for the process, from whichever thread: it has a lock.
    Napi::Error::New(env, "libsodium cannot be initialized").ThrowAsJavaScriptException();
    return;
  }
  exports.Set("SigningKey", SigningKeyWrap::Define(env));
  ExportFunction(exports, "ed25519Finish", Finish);
  ExportFunction(exports, "ed25519Verify", Verify);
  ExportFunction(exports, "ed25519VerifyAll", VerifyAll);
}

}  // namespace gdo
