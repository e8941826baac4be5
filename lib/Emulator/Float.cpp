//===- Float.cpp - f32 and f64 arithmetic ---------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Numeric.h"

#include "Decoder.h"
#include "Lanes.h"

using namespace sparse_attn::emulator;

namespace {

template <class T>
T saturated(T value) {
  return value > 0 ? (value < 1 ? value : T(1)) : T(0);
}

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return a - b;
  }
};
struct Mul {
  template <class T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
struct Fma {
  template <class T>
  T operator()(T a, T b, T c) const {
    return std::fma(a, b, c);
  }
};
struct Div {
  template <class T>
  T operator()(T a, T b) const {
    return a / b;
  }
};
// Beyond 2^126 the approximate reciprocal of the divisor is flushed.
struct DivApprox {
  float operator()(float a, float b) const {
    if (std::fabs(b) > 0x1p126f && std::fabs(b) <= FLT_MAX)
      return std::isinf(a) || a != a
                 ? NAN
                 : std::copysign(0.0f, std::copysign(1.0f, a) * b);
    return a / b;
  }
};
template <bool wantsMax, bool propagatesNaN>
struct Extreme {
  template <class T>
  T operator()(T a, T b) const {
    if (a != a || b != b) {
      if (propagatesNaN || (a != a && b != b))
        return canonical(static_cast<T>(NAN));
      return a != a ? b : a;
    }
    if (a == b) // the zeros are ordered
      return std::signbit(a) == wantsMax ? b : a;
    return (a > b) == wantsMax ? a : b;
  }
};
struct Sqrt {
  template <class T>
  T operator()(T a) const {
    return std::sqrt(a);
  }
};
struct Rcp {
  template <class T>
  T operator()(T a) const {
    return T(1) / a;
  }
};
// The approximations are computed in double and rounded once, well inside
// the errors that the PTX ISA allows.
struct Rsqrt {
  template <class T>
  T operator()(T a) const {
    return static_cast<T>(1.0 / std::sqrt(static_cast<double>(a)));
  }
};
struct Sin {
  float operator()(float a) const {
    return static_cast<float>(std::sin(double(a)));
  }
};
struct Cos {
  float operator()(float a) const {
    return static_cast<float>(std::cos(double(a)));
  }
};
struct Lg2 {
  float operator()(float a) const {
    return static_cast<float>(std::log2(double(a)));
  }
};
struct Ex2 {
  float operator()(float a) const {
    return static_cast<float>(std::exp2(double(a)));
  }
};
struct Tanh {
  float operator()(float a) const {
    return static_cast<float>(std::tanh(double(a)));
  }
};

/// Applies F to flushed operands; flushes, saturates and makes NaN canonical.
template <class F, bool ftz, bool sat>
struct Wrapped {
  template <class... T>
  auto operator()(T... values) const {
    auto result = F()((ftz ? flushed(values) : values)...);
    if (ftz)
      result = flushed(result);
    if (sat)
      result = saturated(result);
    return canonical(result);
  }
};

template <class F, bool ftz, bool sat>
Handler handlerOf(bool wide) {
  using W = Wrapped<F, ftz, sat>;
  if constexpr (std::is_invocable_v<F, double, double, double>)
    return wide ? ternaryLanes<double, double, double, double, W>
                : ternaryLanes<float, float, float, float, W>;
  else if constexpr (std::is_invocable_v<F, double, double>)
    return wide ? binaryLanes<double, double, double, W>
                : binaryLanes<float, float, float, W>;
  else
    return wide ? unaryLanes<double, double, W> : unaryLanes<float, float, W>;
}

struct Options {
  bool ftz = false, sat = false;
};

template <class F>
Handler select(Type type, Options options) {
  bool wide = type == Type::F64;
  if (wide && (options.ftz || options.sat))
    return nullptr;
  if (options.ftz)
    return options.sat ? handlerOf<F, true, true>(wide)
                       : handlerOf<F, true, false>(wide);
  return options.sat ? handlerOf<F, false, true>(wide)
                     : handlerOf<F, false, false>(wide);
}

// Directed rounding, f32 only: Inst::a is the operation, Inst::b the rounding,
// Inst::c bit 0 ftz, bit 1 sat.
enum Directed : uint8_t { DAdd, DSub, DMul, DFma, DDiv, DRcp, DSqrt };

void runDirected(Warp &warp, const Inst &inst, const uint32_t *slots) {
  bool ftz = inst.c & 1;
  unsigned operands = inst.a == DFma ? 3 : inst.a >= DRcp ? 1 : 2;
  eachLane<float>(warp, slots[0], [&](unsigned lane) {
    double x[3] = {};
    for (unsigned i = 0; i < operands; ++i) {
      float value = getLane<float>(warp.slot(slots[i + 1]), lane);
      x[i] = ftz ? flushed(value) : value;
    }
    double exact = 0;
    bool bothPositiveZero = true;
    auto sum = [&](double a, double b) {
      bothPositiveZero =
          a == 0 && b == 0 && !std::signbit(a) && !std::signbit(b);
      return oddAdd(a, b);
    };
    switch (inst.a) {
    case DAdd:
      exact = sum(x[0], x[1]);
      break;
    case DSub:
      exact = sum(x[0], -x[1]);
      break;
    case DMul:
      exact = x[0] * x[1];
      break;
    case DFma:
      exact = sum(x[0] * x[1], x[2]);
      break;
    case DDiv:
      exact = oddDivide(x[0], x[1]);
      break;
    case DRcp:
      exact = oddDivide(1, x[0]);
      break;
    default: // DSqrt
      exact = oddSqrt(x[0]);
      break;
    }
    Rounding rounding = static_cast<Rounding>(inst.b);
    // A sum that cancels is -0 when rounding down.
    if (exact == 0 && rounding == Rounding::Down && !bothPositiveZero)
      exact = -0.0;
    float result = static_cast<float>(roundTo(exact, formatF32, rounding));
    result = ftz ? flushed(result) : result;
    return canonical(inst.c & 2 ? saturated(result) : result);
  });
}

template <bool ftz>
void runEx2(Warp &warp, const Inst &inst, const uint32_t *slots) {
  warp.block->counters.exponentials += __builtin_popcount(warp.lanes);
  unaryLanes<float, float, Wrapped<Ex2, ftz, false>>(warp, inst, slots);
}

// The sign is a bit, whatever the number is.
template <class T, bool ftz, bool negate>
void runSign(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  eachLane<T>(warp, slots[0], [=](unsigned lane) {
    T value = getLane<T>(a, lane);
    if (ftz)
      value = flushed(value);
    return negate ? -value : std::fabs(value);
  });
}

// max.xorsign.abs: the greater magnitude, with the product's sign.
template <bool wantsMax, bool nan>
struct XorSignAbs {
  float operator()(float a, float b) const {
    float result = Extreme<wantsMax, nan>()(std::fabs(a), std::fabs(b));
    return std::signbit(a) != std::signbit(b) ? -result : result;
  }
  double operator()(double a, double) const { return a; }
};

struct CopySign {
  template <class T>
  T operator()(T sign, T magnitude) const {
    return std::copysign(magnitude, sign);
  }
};

Handler extreme(Decoder &d, Type type, Options options) {
  bool isMax = d.base() == "max", nan = d.take("NaN");
  if (d.take("xorsign")) {
    if (!d.take("abs") || type != Type::F32)
      return nullptr;
    if (isMax)
      return nan ? select<XorSignAbs<true, true>>(type, options)
                 : select<XorSignAbs<true, false>>(type, options);
    return nan ? select<XorSignAbs<false, true>>(type, options)
               : select<XorSignAbs<false, false>>(type, options);
  }
  if (isMax)
    return nan ? select<Extreme<true, true>>(type, options)
               : select<Extreme<true, false>>(type, options);
  return nan ? select<Extreme<false, true>>(type, options)
             : select<Extreme<false, false>>(type, options);
}

template <class T, bool negate>
Handler sign(bool ftz) {
  return ftz ? runSign<T, true, negate> : runSign<T, false, negate>;
}

/// The handler for a function that only exists as an f32 approximation.
template <class F>
Handler approximate(Type type, Options options) {
  if (type != Type::F32 || options.sat)
    return nullptr;
  return options.ftz ? unaryLanes<float, float, Wrapped<F, true, false>>
                     : unaryLanes<float, float, Wrapped<F, false, false>>;
}

} // namespace

bool sparse_attn::emulator::decodeFloat(Decoder &d, Type type) {
  std::string_view base = d.base();
  Options options;
  options.ftz = d.take("ftz");
  options.sat = d.take("sat");
  bool approx = d.take("approx"), full = d.take("full");
  bool nearest = d.take("rn");
  Rounding rounding = d.take("rz")   ? Rounding::Zero
                      : d.take("rm") ? Rounding::Down
                      : d.take("rp") ? Rounding::Up
                                     : Rounding::Nearest;
  bool directed = rounding != Rounding::Nearest;
  if (nearest + approx + full + directed > 1)
    return d.fail("more than one rounding is given");
  bool arithmetic = base == "add" || base == "sub" || base == "mul" ||
                    base == "fma" || base == "mad" || base == "div" ||
                    base == "rcp" || base == "sqrt";
  if ((directed || nearest) && !arithmetic)
    return d.unsupported();
  bool wide = type == Type::F64;
  Handler handler = nullptr;
  uint8_t operation = 0;
  unsigned sources = 2;
  if (base == "add") {
    handler = select<Add>(type, options);
    operation = DAdd;
  } else if (base == "sub") {
    handler = select<Sub>(type, options);
    operation = DSub;
  } else if (base == "mul") {
    handler = select<Mul>(type, options);
    operation = DMul;
  } else if (base == "fma" || base == "mad") {
    handler = select<Fma>(type, options);
    operation = DFma;
    sources = 3;
  } else if (base == "div") {
    handler =
        approx && !wide
            ? (options.ftz ? binaryLanes<float, float, float,
                                         Wrapped<DivApprox, true, false>>
                           : binaryLanes<float, float, float,
                                         Wrapped<DivApprox, false, false>>)
            : select<Div>(type, options);
    operation = DDiv;
  } else if (base == "rcp" || base == "sqrt") {
    handler = base == "rcp" ? select<Rcp>(type, options)
                            : select<Sqrt>(type, options);
    operation = base == "rcp" ? DRcp : DSqrt;
    sources = 1;
  } else if (base == "min" || base == "max") {
    handler = extreme(d, type, options);
  } else if (base == "copysign") {
    handler = select<CopySign>(type, options);
  } else {
    sources = 1;
    if (base == "abs")
      handler =
          wide ? sign<double, false>(false) : sign<float, false>(options.ftz);
    else if (base == "neg")
      handler =
          wide ? sign<double, true>(false) : sign<float, true>(options.ftz);
    else if (!approx)
      return d.unsupported();
    else if (base == "ex2")
      handler = wide ? nullptr : options.ftz ? runEx2<true> : runEx2<false>;
    else if (base == "rsqrt")
      handler = select<Rsqrt>(type, options);
    else if (base == "lg2")
      handler = approximate<Lg2>(type, options);
    else if (base == "sin")
      handler = approximate<Sin>(type, options);
    else if (base == "cos")
      handler = approximate<Cos>(type, options);
    else if (base == "tanh")
      handler = approximate<Tanh>(type, options);
  }
  if (directed && handler) {
    handler = wide ? nullptr : runDirected;
    d.inst.a = operation;
    d.inst.b = static_cast<uint8_t>(rounding);
    d.inst.c = options.ftz | options.sat << 1;
  }
  if (!handler)
    return d.unsupported();
  if (!d.expectOperands(sources + 1))
    return false;
  d.dst(0, type);
  for (unsigned i = 1; i <= sources; ++i)
    d.src(i, type);
  d.emit(handler);
  return true;
}
