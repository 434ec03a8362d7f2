// Ed25519 by libsodium: class SigningKey(seed) with publicKey() and sign(message);
// ed25519Verify(key, message, signature) -> boolean; ed25519VerifyAll(rows) -> Promise<Uint8Array>,
// one 1 or 0 for each row. A row is key (32), signature (64), the message's length (1), message
// (63, filled up).
//
// libsodium refuses what RFC 8032 does not ask to be refused, an R of small order: a 0 is no
// verdict yet, lib/codec/keys.ts asks again. Owner: bytes are borrowed [N3]; the secret stays here
// and is wiped with its object. Threads: ed25519VerifyAll runs on the libuv pool and touches no
// Napi value there [N4].
#include <sodium.h>

#include <array>
#include <vector>

#include "addon.h"
#include "arguments.h"

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

class SigningKeyWrap final : public Napi::ObjectWrap<SigningKeyWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "SigningKey",
                       {InstanceMethod<&SigningKeyWrap::PublicKey>("publicKey"),
                        InstanceMethod<&SigningKeyWrap::Sign>("sign")});
  }

  explicit SigningKeyWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SigningKeyWrap>(info) {
    if (!RequireBytes(info, 0)) return;
    const Bytes seed = BytesArgument(info, 0);
    if (seed.size() != crypto_sign_SEEDBYTES) {
      ThrowTypeError(info.Env(), "a seed has 32 bytes");
      return;
    }
    crypto_sign_seed_keypair(public_.data(), secret_.data(), seed.data());
  }

  SigningKeyWrap(const SigningKeyWrap&) = delete;
  SigningKeyWrap& operator=(const SigningKeyWrap&) = delete;
  ~SigningKeyWrap() override { sodium_memzero(secret_.data(), secret_.size()); }

  Napi::Value PublicKey(const Napi::CallbackInfo& info) { return CopyOut(info.Env(), public_); }

  Napi::Value Sign(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    const Bytes message = BytesArgument(info, 0);
    std::array<uint8_t, kSignatureBytes> signature;
    crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
    return CopyOut(info.Env(), signature);
  }

 private:
  std::array<uint8_t, kKeyBytes> public_{};
  std::array<uint8_t, crypto_sign_SECRETKEYBYTES> secret_{};
};

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
  ExportFunction(exports, "ed25519Verify", Verify);
  ExportFunction(exports, "ed25519VerifyAll", VerifyAll);
}

}  // namespace gdo
