# ===- products.py - The two products of an attention graph ---------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The product of query and key and the product with the values, in the forms
that lowerings of einsum, matmul and bmm leave."""

from __future__ import annotations

from graphs.linalg_text import Tensor


class Products:
    """A part of AttentionGraph."""

    def scores_dims(self) -> tuple:
        return (*self.lead, *self.heads, *self.rows, "k")

    def with_unit_rows(self, q: Tensor) -> Tensor:
        """Adds the unit beside the rows by a reshape."""
        if self.rows == ("m",):
            return q
        dims = list(q.dims)
        at = dims.index("m")
        dims[at : at + 1] = self.rows
        # The reassociation wants the unit in the name of the dimension.
        merged = tuple("*".join(self.rows) if d == "m" else d for d in q.dims)
        return self.function.expand(Tensor(q.name, merged, q.element), dims)

    def share(self, x: Tensor) -> Tensor:
        """Key or value with the query's heads, as a copy (or as it is, where
        the product can broadcast)."""
        if not self.shared or self.split:
            return x
        at = x.dims.index("h")
        order = self.heads[0].split("*")
        copied = (*x.dims[:at], *order, *x.dims[at + 1 :])
        return self.function.collapse(
            self.function.copy(x, copied), (*x.dims[:at], self.heads[0], *x.dims[at + 1 :])
        )

    def zero(self, dims, element: str) -> Tensor:
        f = self.function
        return f.filled(f.constant(0.0, element), dims, element)

    def product(self, q: Tensor, k: Tensor) -> Tensor:
        form = self.pick("product", "named", "named", "generic", "contract")
        q, k = self.with_unit_rows(q), self.share(k)
        dims = self.scores_dims()
        swapped = self.pick("product swapped", False, False, True)
        if form == "named" and not self.split:
            batch = (*self.lead, *self.heads)
            if swapped:
                return self.matmul(batch, k, ("k",), "d", q, self.rows, self.sum)
            return self.matmul(batch, q, self.rows, "d", k, ("k",), self.sum)
        if self.pick("scores order", "rows first", "rows first", "random") == "random":
            dims = tuple(self.random.sample(dims, len(dims)))
        return self.contraction(form, [k, q] if swapped else [q, k], dims, self.sum)

    def values(self, p: Tensor, v: Tensor) -> Tensor:
        v = self.share(v)
        form = self.pick("values", "named", "named", "generic", "contract")
        if p.element != v.element:
            # A narrow product of wide weights: one of the two is converted.
            v = self.function.cast(v, p.element)
        dims = (*self.lead, *self.heads, *self.rows, "n")
        swapped = self.pick("values swapped", False, True)
        if form == "named" and not self.split:
            batch = (*self.lead, *self.heads)
            if swapped:
                return self.matmul(batch, v, ("n",), "k", p, self.rows, self.value_sum)
            return self.matmul(batch, p, self.rows, "k", v, ("n",), self.value_sum)
        return self.contraction(form, [v, p] if swapped else [p, v], dims, self.value_sum)

    def contraction(self, form: str, operands, dims, element: str) -> Tensor:
        """linalg.contract, or a generic with the sum in either order."""
        f = self.function
        init = self.zero(dims, element)
        if form == "contract":
            loops = list(dict.fromkeys(d for x in operands for d in x.dims))
            self.random.shuffle(loops)
            maps = ", ".join(f.map(loops, x.dims) for x in [*operands, init])
            names = ", ".join(x.name for x in operands)
            types = ", ".join(map(f.type_of, operands))
            text = (
                f"linalg.contract indexing_maps = [{maps}] ins({names} : {types}) "
                f"outs({init.name} : {f.type_of(init)}) -> {f.type_of(init)}"
            )
            return Tensor(f.emit(text), tuple(dims), element)

        def body(b, x, y, total):
            x, y = (b.cast(a, t.element, element) for a, t in zip((x, y), operands))
            product = b.op(f"arith.mulf {x}, {y} : {element}")
            terms = self.random.choice([(product, total), (total, product)])
            return b.op(f"arith.addf {terms[0]}, {terms[1]} : {element}")

        return f.generic(operands, dims, element, body, init)

    def matmul(self, batch, x, x_rows, inner, y, y_columns, element) -> Tensor:
        """linalg.matmul or linalg.batch_matmul with all batch dimensions as
        one, then unfolded."""
        f = self.function
        x = f.transpose(x, (*batch, *x_rows, inner))
        direct = self.pick("transposed operand", "by op", "by op", "by map") == "by map"
        y = f.transpose(y, (*batch, *y_columns, inner) if direct else (*batch, inner, *y_columns))
        one = ("*".join(batch),) if batch else ()
        rows, columns = "*".join(x_rows), "*".join(y_columns)
        x = f.collapse(x, (*one, rows, inner))
        y = f.collapse(y, (*one, columns, inner) if direct else (*one, inner, columns))
        init = self.zero((*one, rows, columns), element)
        maps = ""
        if direct:
            loops = ["z"] * len(one) + ["r", "c", "s"]
            renamed = {**{d: "z" for d in one}, rows: "r", columns: "c", inner: "s"}
            named = [f.map(loops, [renamed[d] for d in t.dims]) for t in (x, y, init)]
            maps = f" indexing_maps = [{', '.join(named)}]"
        name = "batch_matmul" if one else "matmul"
        text = (
            f"linalg.{name}{maps} ins({x.name}, {y.name} : {f.type_of(x)}, {f.type_of(y)}) "
            f"outs({init.name} : {f.type_of(init)}) -> {f.type_of(init)}"
        )
        result = Tensor(f.emit(text), init.dims, element)
        return f.expand(result, (*batch, *x_rows, *y_columns))
