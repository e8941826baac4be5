//===- PackageWriterTest.cpp - Packages are written whole ---------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/PackageWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace mlir::sparse_attn;

namespace {
class PackageWriterTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(sys::fs::createUniqueDirectory("package-writer", root));
  }
  void TearDown() override { sys::fs::remove_directories(root); }

  std::string path(StringRef name) const {
    SmallString<128> result(root);
    sys::path::append(result, name);
    return result.str().str();
  }
  std::string read(StringRef name) const {
    auto buffer = MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "<missing>";
  }
  void write(StringRef name, StringRef text) const {
    std::error_code code;
    raw_fd_ostream(path(name), code) << text;
  }
  /// The message of writing `files` to `name`, empty on success.
  std::string writeTo(StringRef name, ArrayRef<PackageFile> files) const {
    return toString(
        writePackage(path(name), files, buildManifest(json::Array(), files)));
  }
  unsigned countEntries() const {
    unsigned count = 0;
    std::error_code code;
    for (sys::fs::directory_iterator it(root, code), end; it != end;
         it.increment(code))
      ++count;
    return count;
  }

  SmallString<128> root;
};
} // namespace

TEST(ManifestTest, StatesSizesAndHashes) {
  // The hash of FIPS 180-2's first example.
  std::string text = buildManifest(json::Array(), {{"a.ptx", "abc"}});
  Expected<json::Value> value = json::parse(text);
  ASSERT_TRUE(static_cast<bool>(value));
  json::Object *file =
      value->getAsObject()->getObject("files")->getObject("a.ptx");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->getInteger("bytes"), 3);
  EXPECT_EQ(file->getString("sha256"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(value->getAsObject()->getString("format"), "sparse-attn-package");
  EXPECT_EQ(value->getAsObject()->getInteger("version"), 1);
}

TEST_F(PackageWriterTest, CreatesFoldersOnTheWay) {
  EXPECT_EQ(writeTo("a/b/c", {{"x.ptx", "1"}}), "");
  EXPECT_EQ(read("a/b/c/x.ptx"), "1");
  EXPECT_NE(read("a/b/c/manifest.json"), "<missing>");
}

TEST_F(PackageWriterTest, ReplacesAPackage) {
  EXPECT_EQ(writeTo("p", {{"x.ptx", "1"}, {"y.ptx", "2"}}), "");
  EXPECT_EQ(writeTo("p/", {{"x.ptx", "3"}}), "");
  EXPECT_EQ(read("p/x.ptx"), "3");
  EXPECT_EQ(read("p/y.ptx"), "<missing>");
  // Nothing half-written stays beside it.
  EXPECT_EQ(countEntries(), 1u);
}

TEST_F(PackageWriterTest, FillsAnEmptyDirectory) {
  ASSERT_FALSE(sys::fs::create_directory(path("p")));
  EXPECT_EQ(writeTo("p", {{"x.ptx", "1"}}), "");
  EXPECT_EQ(read("p/x.ptx"), "1");
}

TEST_F(PackageWriterTest, ReplacesThroughALink) {
  ASSERT_EQ(writeTo("p", {{"x.ptx", "1"}}), "");
  ASSERT_FALSE(sys::fs::create_link(path("p"), path("link")));
  EXPECT_EQ(writeTo("link", {{"x.ptx", "2"}}), "");
  EXPECT_EQ(read("p/x.ptx"), "2");
  EXPECT_EQ(read("link/x.ptx"), "2");
}

TEST_F(PackageWriterTest, LeavesOtherThingsAlone) {
  write("file", "text");
  EXPECT_NE(writeTo("file", {{"x.ptx", "1"}}).find("found a file"),
            std::string::npos);
  EXPECT_EQ(read("file"), "text");

  ASSERT_FALSE(sys::fs::create_directory(path("d")));
  write("d/notes", "text");
  EXPECT_NE(writeTo("d", {{"x.ptx", "1"}}).find("found another directory"),
            std::string::npos);
  // A manifest of something else makes no package.
  write("d/manifest.json", "{\"format\": \"other\"}");
  EXPECT_NE(writeTo("d", {{"x.ptx", "1"}}).find("found another directory"),
            std::string::npos);
  write("d/manifest.json", "{");
  EXPECT_NE(writeTo("d", {{"x.ptx", "1"}}).find("found another directory"),
            std::string::npos);
  EXPECT_EQ(read("d/notes"), "text");

  ASSERT_EQ(writeTo("p", {{"x.ptx", "1"}}), "");
  write("p/notes", "text");
  EXPECT_NE(writeTo("p", {{"x.ptx", "2"}}).find("found 'notes' as well"),
            std::string::npos);
  EXPECT_EQ(read("p/x.ptx"), "1");
  // A directory is no file of a package, whatever its name is.
  ASSERT_FALSE(sys::fs::remove(path("p/notes")));
  ASSERT_FALSE(sys::fs::remove(path("p/x.ptx")));
  ASSERT_FALSE(sys::fs::create_directory(path("p/x.ptx")));
  EXPECT_NE(writeTo("p", {{"x.ptx", "2"}}).find("found 'x.ptx' as well"),
            std::string::npos);
}

TEST_F(PackageWriterTest, CleansUpWhatItCannotFinish) {
  EXPECT_NE(writeTo("p", {{"no/such/x.ptx", "1"}}).find("cannot write"),
            std::string::npos);
  EXPECT_EQ(countEntries(), 0u);
}
