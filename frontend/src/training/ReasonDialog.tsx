import { Button, Modal, Textarea } from '@mantine/core';
import '@mantine/core/styles/Input.css';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { JSX } from 'react';

import { queryClient } from '../app';
import '../styles/dialog';
import shell from '../shell/Shell.module.css';
import { operations, wordsOf } from './operations';
import type { Deed } from './operations';

/** Asks why, does it, and says what became of it. Nothing is done without a reason: it is kept. */
export function ReasonDialog(props: { deed: Deed; onDone: (said: string) => void; onClose: () => void }): JSX.Element {
  const { deed, onDone, onClose } = props;
  const [reason, setReason] = useState('');
  const words = wordsOf(deed);
  const act = useMutation({
    mutationFn: () => operations.act(deed, reason.trim()),
    networkMode: 'always',
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['operations'] });
      await queryClient.invalidateQueries({ queryKey: ['training'] });
      onDone(words.done);
    },
  });
  const ready = reason.trim() !== '' && !act.isPending;
  return (
    <Modal opened onClose={onClose} title={words.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) act.mutate();
        }}
      >
        <p>{words.effect}</p>
        <Textarea
          mt="md"
          label="Why?"
          description="Kept with your name and the time."
          value={reason}
          maxLength={1000}
          autosize={false}
          rows={2}
          data-autofocus
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {act.error !== null && (
          <p role="alert" className={shell['problem']}>
            {act.error.message}
          </p>
        )}
        <Button mt="md" type="submit" disabled={!ready}>
          {words.button}
        </Button>
      </form>
    </Modal>
  );
}
