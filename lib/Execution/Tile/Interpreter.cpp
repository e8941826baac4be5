//===- Interpreter.cpp - Runs thread blocks, operation by operation -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn_tile;

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

std::string attn_tile::describe(Location location) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto place = location->findInstanceOf<FileLineColLoc>())
    stream << place.getFilename().getValue() << ':' << place.getLine() << ':'
           << place.getColumn();
  else
    stream << location;
  return text;
}

std::string attn_tile::describe(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

llvm::Error attn_tile::fault(Operation *op, const Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 describe(op->getLoc()) + ": " +
                                     op->getName().getStringRef() + ": " +
                                     message);
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

Interpreter::Interpreter(Region &body, std::array<uint32_t, 3> grid,
                         ArrayRef<KernelBuffer> arguments)
    : body(body), grid(grid), arguments(arguments) {}

const RuntimeValue &Interpreter::get(Value value) const {
  auto found = values.find(value);
  assert(found != values.end() && "verified IR defines what it uses");
  return found->second;
}

void Interpreter::set(Value value, RuntimeValue content) {
  values[value] = std::move(content);
}

void Interpreter::assign(ValueRange targets, ValueRange sources) {
  SmallVector<RuntimeValue> contents;
  for (Value source : sources)
    contents.push_back(get(source));
  for (auto [target, content] : llvm::zip_equal(targets, contents))
    set(target, std::move(content));
}

const Tile &Interpreter::getTile(Value value) const {
  return *std::get<std::shared_ptr<const Tile>>(get(value));
}

int64_t Interpreter::getNumber(Value value) const {
  return getTile(value).integers[0];
}

void Interpreter::setTile(Value value, Tile tile) {
  set(value, std::make_shared<const Tile>(std::move(tile)));
}

llvm::Expected<Tile> Interpreter::makeTile(Operation *op, Value value) const {
  if (std::optional<Tile> tile = Tile::of(value.getType()))
    return std::move(*tile);
  return fault(op, "expected a number or a static tile of at most " +
                       Twine(Tile::maxElements) +
                       " elements of f16, bf16, f32, i1, i8, i16, i32, i64 or "
                       "index, found " +
                       describe(value.getType()));
}

llvm::Expected<uint8_t *> Interpreter::access(Operation *op, unsigned argument,
                                              int64_t first, int64_t count,
                                              Type element) {
  const KernelBuffer &buffer = arguments[argument];
  // Booleans are bytes in memory.
  Type held = buffer.getElementType();
  bool bytes = element.isInteger(8) && held.isInteger(1);
  if (held != element && !bytes)
    return fault(op, "expected argument " + Twine(argument) +
                         " to be a buffer of " + describe(element) +
                         ", found " + describe(held));
  int64_t bytesEach = Element::of(element)->getBytes();
  int64_t size = buffer.getBytes().size() / bytesEach;
  int64_t end;
  if (first < 0 || llvm::AddOverflow(first, count, end) || end > size)
    return fault(op, Twine(count) + " elements from " + Twine(first) +
                         " on are out of bounds of argument " +
                         Twine(argument) + ", which has " + Twine(size));
  return buffer.getBytes().data() + first * bytesEach;
}

std::shared_ptr<SharedTile> Interpreter::allocate(Operation *op,
                                                  Tile contents) {
  std::shared_ptr<SharedTile> &tile = allocations[op];
  if (!tile) {
    tile = std::make_shared<SharedTile>(SharedTile{std::move(contents)});
    sharedTiles.push_back(tile);
  }
  return tile;
}

void Interpreter::barrier() {
  for (auto &tile : sharedTiles)
    tile->inUse = false;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

static const OpTable &getOpTable() {
  static const OpTable table = [] {
    OpTable table;
    addControlOps(table);
    addMemoryOps(table);
    addTileOps(table);
    addFloatOps(table);
    addIntegerOps(table);
    addConversionOps(table);
    return table;
  }();
  return table;
}

llvm::Error Interpreter::execute(Operation &op) {
  const OpTable &table = getOpTable();
  StringRef name = op.getName().getStringRef();
  if (auto known = table.ops.find(name); known != table.ops.end())
    return known->second(*this, &op);
  auto known = table.tileOps.find(name);
  if (known == table.tileOps.end())
    return fault(&op, "the interpreter does not know this operation");

  SmallVector<const Tile *, 3> operands;
  for (Value operand : op.getOperands()) {
    auto *tile = std::get_if<std::shared_ptr<const Tile>>(&get(operand));
    if (!tile)
      return fault(&op, "expected tiles and numbers as operands, found " +
                            describe(operand.getType()));
    operands.push_back(tile->get());
  }
  llvm::Expected<Tile> result = makeTile(&op, op.getResult(0));
  if (!result)
    return result.takeError();
  if (llvm::Error error = known->second(&op, operands, *result))
    return error;
  setTile(op.getResult(0), std::move(*result));
  return llvm::Error::success();
}

llvm::Error Interpreter::runRegion(Region &region) {
  for (Operation &op : region.front().without_terminator())
    if (llvm::Error error = execute(op))
      return error;
  return llvm::Error::success();
}

llvm::Error Interpreter::runBlock(std::array<uint32_t, 3> block) {
  this->block = block;
  values.clear();
  allocations.clear();
  sharedTiles.clear();
  for (auto [index, parameter] : llvm::enumerate(body.getArguments())) {
    if (arguments[index].isMemory())
      set(parameter, Pointer{static_cast<unsigned>(index)});
    else
      setTile(parameter, Tile::number(arguments[index].getNumber(), 32));
  }
  return runRegion(body);
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

KernelBuffer KernelBuffer::memory(Type elementType,
                                  MutableArrayRef<uint8_t> bytes) {
  KernelBuffer buffer;
  buffer.elementType = elementType;
  buffer.bytes = bytes;
  return buffer;
}

KernelBuffer KernelBuffer::number(int32_t value) {
  KernelBuffer buffer;
  buffer.value = value;
  return buffer;
}

static llvm::Error checkArguments(gpu::GPUFuncOp kernel,
                                  ArrayRef<KernelBuffer> arguments) {
  if (kernel.getNumArguments() != arguments.size())
    return fault(kernel, "expected " + Twine(kernel.getNumArguments()) +
                             " arguments, found " + Twine(arguments.size()));
  for (auto [index, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    const KernelBuffer &argument = arguments[index];
    bool isPointer = isa<LLVM::LLVMPointerType>(type);
    std::string text = describe(type);
    if (!isPointer && !type.isInteger(32))
      return fault(kernel, "expected argument " + Twine(index) +
                               " to be a pointer or an i32, found " + text);
    if (isPointer != argument.isMemory())
      return fault(kernel,
                   "expected " + Twine(isPointer ? "memory" : "a number") +
                       " for argument " + Twine(index) + " of type " + text);
    if (!isPointer)
      continue;
    std::optional<Element> element = Element::of(argument.getElementType());
    if (!element || argument.getElementType().isIndex())
      return fault(kernel, "expected argument " + Twine(index) +
                               " to hold f16, bf16, f32, i1, i8, i16, i32 or "
                               "i64, found " +
                               describe(argument.getElementType()));
    if (argument.getBytes().size() % element->getBytes())
      return fault(kernel, "expected argument " + Twine(index) +
                               " to hold whole elements of " +
                               Twine(element->getBytes()) + " bytes, found " +
                               Twine(argument.getBytes().size()) + " bytes");
  }
  return llvm::Error::success();
}

llvm::Error attn_tile::runTileKernel(gpu::GPUFuncOp kernel,
                                     std::array<uint32_t, 3> grid,
                                     ArrayRef<KernelBuffer> arguments,
                                     const TileKernelOptions &options) {
  if (failed(verify(kernel)))
    return fault(kernel, "the kernel does not verify");
  if (kernel.isExternal())
    return fault(kernel, "expected a kernel with a body");
  if (!kernel.getBody().hasOneBlock())
    return fault(kernel, "expected structured control flow, found " +
                             Twine(kernel.getBody().getBlocks().size()) +
                             " blocks");
  if (llvm::Error error = checkArguments(kernel, arguments))
    return error;

  uint64_t plane = static_cast<uint64_t>(grid[0]) * grid[1];
  bool overflow = false;
  uint64_t blocks = llvm::SaturatingMultiply(
      plane, static_cast<uint64_t>(grid[2]), &overflow);
  if (overflow)
    return fault(kernel, "expected fewer than 2^64 thread blocks");
  Interpreter interpreter(kernel.getBody(), grid, arguments);
  auto run = [&](uint64_t index) {
    return interpreter.runBlock({static_cast<uint32_t>(index % grid[0]),
                                 static_cast<uint32_t>(index % plane / grid[0]),
                                 static_cast<uint32_t>(index / plane)});
  };
  for (uint64_t index : options.onlyBlocks) {
    if (index >= blocks)
      return fault(kernel, "thread block " + Twine(index) +
                               " is out of bounds, the grid has " +
                               Twine(blocks) + " blocks");
    if (llvm::Error error = run(index))
      return error;
  }
  if (options.onlyBlocks.empty())
    for (uint64_t index = 0; index < blocks; ++index)
      if (llvm::Error error = run(index))
        return error;
  return llvm::Error::success();
}
