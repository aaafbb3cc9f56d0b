// Writes f32 formulas over scalars and vectors of any length.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"

namespace adze::schedule {

/// Builds arith ops whose type is that of an f32 scalar or vector. Products
/// and sums may contract to FMA: every formula here is as good or better so.
class MathBuilder {
public:
  MathBuilder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type)
      : builder(builder), loc(loc), type(type) {}

  mlir::Value constant(float value) {
    mlir::TypedAttr attr = builder.getF32FloatAttr(value);
    if (auto vector = llvm::dyn_cast<mlir::VectorType>(type))
      attr = mlir::DenseElementsAttr::get(vector, value);
    return mlir::arith::ConstantOp::create(builder, loc, attr);
  }
  mlir::Value integer(int32_t value) {
    mlir::TypedAttr attr = builder.getI32IntegerAttr(value);
    if (auto vector = llvm::dyn_cast<mlir::VectorType>(type))
      attr = mlir::DenseElementsAttr::get(vector.clone(builder.getI32Type()), value);
    return mlir::arith::ConstantOp::create(builder, loc, attr);
  }
  mlir::Value add(mlir::Value a, mlir::Value b) {
    return mlir::arith::AddFOp::create(builder, loc, a, b, mlir::arith::FastMathFlags::contract);
  }
  mlir::Value sub(mlir::Value a, mlir::Value b) {
    return mlir::arith::SubFOp::create(builder, loc, a, b, mlir::arith::FastMathFlags::contract);
  }
  mlir::Value mul(mlir::Value a, mlir::Value b) {
    return mlir::arith::MulFOp::create(builder, loc, a, b, mlir::arith::FastMathFlags::contract);
  }
  mlir::Value div(mlir::Value a, mlir::Value b) {
    return mlir::arith::DivFOp::create(builder, loc, a, b);
  }
  mlir::Value mulAdd(mlir::Value a, mlir::Value b, mlir::Value c) { return add(mul(a, b), c); }
  mlir::Value abs(mlir::Value a) { return mlir::math::AbsFOp::create(builder, loc, a); }
  mlir::Value copySign(mlir::Value magnitude, mlir::Value sign) {
    return mlir::math::CopySignOp::create(builder, loc, magnitude, sign);
  }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a, mlir::Value b) {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, a, b);
  }
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b) {
    return mlir::arith::SelectOp::create(builder, loc, condition, a, b);
  }
  /// The nearest integer, as float; ties to even.
  mlir::Value round(mlir::Value a) { return mlir::math::RoundEvenOp::create(builder, loc, a); }
  mlir::Value toInt(mlir::Value a) {
    return mlir::arith::FPToSIOp::create(builder, loc, intType(), a);
  }
  /// 2^n of integers in [-126, 127].
  mlir::Value powerOfTwo(mlir::Value n) {
    mlir::Value biased = mlir::arith::AddIOp::create(builder, loc, n, integer(127));
    mlir::Value bits = mlir::arith::ShLIOp::create(builder, loc, biased, integer(23));
    return mlir::arith::BitcastOp::create(builder, loc, type, bits);
  }
  /// coefficients[0] + x * (coefficients[1] + ...), by Horner's rule.
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<float> coefficients) {
    mlir::Value sum = constant(coefficients.back());
    for (float coefficient : llvm::reverse(coefficients.drop_back()))
      sum = mulAdd(sum, x, constant(coefficient));
    return sum;
  }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type type;

private:
  mlir::Type intType() {
    auto vector = llvm::dyn_cast<mlir::VectorType>(type);
    return vector ? mlir::Type(vector.clone(builder.getI32Type())) : builder.getI32Type();
  }
};

}  // namespace adze::schedule
